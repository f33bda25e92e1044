// A question that must be answered before something is lost. Escape is "no".
import { button, h } from './dom.mjs';

export function ask({ title, text, items, yes, no }) {
  return new Promise((resolve) => {
    const close = (answer) => () => {
      dialog.close();
      resolve(answer);
    };
    const dialog = h('dialog', { 'aria-labelledby': 'ask-title' },
      h('h2', { id: 'ask-title' }, title), h('ul', {}, items.map((item) => h('li', {}, item))), h('p', {}, text),
      h('div', { class: 'actions' }, button(yes, close(true)), button(no, close(false), 'primary')));
    dialog.addEventListener('cancel', close(false));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('.primary').focus();
  });
}
