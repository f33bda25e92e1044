// A question before something is lost. Escape means no.
import { actions, button, h } from './dom.mjs';

export function ask(title, text, items, yes, no) {
	return new Promise((resolve) => {
		const close = (choice) => () => {
			dialog.close();
			dialog.remove();
			resolve(choice);
		};
		const dialog = h('dialog', { 'aria-label': title, oncancel: close(false) }, h('h2', {}, title), h('ul', {}, items.map((item) => h('li', {}, item))),
			h('p', {}, text), actions(button(no, close(false), 'primary'), button(yes, close(true))));
		document.body.append(dialog);
		dialog.showModal();
	});
}
