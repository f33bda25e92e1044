// Page 5: sentences stand in the HTML; here links and buttons are added.
import { here, hub, query, safePath } from './api.mjs';
import { actions, link } from './dom.mjs';
import { goHome, page } from './shell.mjs';
import { words } from './words.mjs';

const asked = location.pathname.startsWith(`${hub}/error/`) ? safePath(query.get('url')) : here;

page((site) => {
	const again = document.querySelector('[data-again]') && asked;
	document.querySelector('.panel').append(actions(again && link(words.tryAgain, asked, 'primary'), goHome(again ? '' : 'primary'),
		site.help_url && link(words.links.help_url, site.help_url)));
}, true);
