// Shortcuts of one letter, and the dialog that tells all keys. Who dictates or has a shaky hand
// can switch them off there (WCAG 2.1.4).

import { make } from './row.js';
import { words } from './words.js';

const OFF = 'todos.noSingleKeys';
let dialog = null;

const storage = {
  get isOff() {
    try {
      return localStorage.getItem(OFF) === 'yes';
    } catch {
      return false;
    }
  },
  set isOff(value) {
    try {
      localStorage.setItem(OFF, value ? 'yes' : 'no');
    } catch {
      // where nothing is kept, they are on again with the next page
    }
  },
};

function makeSwitch() {
  const label = make('label', 'keys-switch');
  const box = make('input', '', { type: 'checkbox', checked: !storage.isOff });
  box.addEventListener('change', () => {
    storage.isOff = !box.checked;
  });
  label.append(box, words.keysSingle);
  return label;
}

function makeDialog() {
  const element = make('dialog', 'keys', { ariaLabel: words.keysTitle });
  const list = make('dl', '');
  for (const [keys, meaning] of words.keyList) {
    const term = make('dt', '');
    term.append(...keys.split(/(, | )/).map((key) => (/^(, | )$/.test(key) ? key : make('kbd', '', { textContent: key }))));
    list.append(term, make('dd', '', { textContent: meaning }));
  }
  const close = make('button', 'keys-close', { type: 'button', textContent: words.close });
  close.addEventListener('click', () => element.close());
  element.append(make('h2', '', { textContent: words.keysTitle }), list, makeSwitch(), close);
  element.addEventListener('click', (event) => event.target === element && element.close());
  document.body.append(element);
  return element;
}

export function showKeys() {
  dialog ??= makeDialog();
  dialog.showModal();
}

const isTyping = (target) => target.matches('input:not([type=checkbox]), textarea');

// `actions`: what each letter does.
export function start(actions) {
  const letters = { ...actions, '?': showKeys };
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || isTyping(event.target) || dialog?.open || event.altKey) return;
    const isUndo = event.key === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    const action = isUndo ? actions.u : letters[event.key];
    if (!action || (!isUndo && (event.ctrlKey || event.metaKey || storage.isOff))) return;
    event.preventDefault();
    if (!event.repeat) action();
  });
}
