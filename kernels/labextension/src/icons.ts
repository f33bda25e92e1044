// Our own icons, as inline SVG that takes the theme's colours.
import { LabIcon } from '@jupyterlab/ui-components';

const svg = (body: string): string => `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">${body}</svg>`;

/** Five rays around a spark, the sign of the panel. */
export const starIcon = new LabIcon({
	name: 'cygnet:spark',
	svgstr: svg('<path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 1.5l2.6 6.6 6.9-1.7-3.9 6 5 4.9-7 .8.4 7L12 19.6 8 25l.4-7-7-.8 5-4.9-3.9-6 6.9 1.7z" transform="translate(0 -.8) scale(.97)"/>'),
});
