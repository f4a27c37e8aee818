// The dialog that tells all keys, loaded when it is asked for.

import { letters } from './keys.js';
import { make } from './row.js';
import { words } from './words.js';

const english = {
  title: 'Keys',
  single: 'Single letters are shortcuts',
  close: 'Close',
  keys: [
    ['n', 'to the field for a new todo'],
    ['/', 'find, where there are 30 todos or more'],
    ['u, Ctrl+Z', 'undo the last deletion'],
    ['?', 'this help'],
    ['↑ ↓', 'from row to row'],
    ['← →', 'within a row'],
    ['Space', 'tick'],
    ['Enter, F2', 'edit'],
    ['Delete', 'delete'],
    ['Alt+↑ Alt+↓', 'move the todo'],
    ['Esc', 'leave an edit as it was'],
  ],
};
const help = words.help ?? english;

let dialog = null;

function makeSwitch() {
  const label = make('label', 'keys-switch');
  const box = make('input', '', { type: 'checkbox', checked: !letters.areOff });
  box.addEventListener('change', () => {
    letters.areOff = !box.checked;
  });
  label.append(box, help.single);
  return label;
}

function makeTerm(keys) {
  const term = make('dt', '');
  const parts = keys.split(/(, | )/);
  term.append(...parts.map((text, index) => (index % 2 ? text : make('kbd', '', { textContent: text }))));
  return term;
}

function makeDialog() {
  const element = make('dialog', 'keys', { ariaLabel: help.title });
  const list = make('dl', '');
  for (const [keys, meaning] of help.keys) list.append(makeTerm(keys), make('dd', '', { textContent: meaning }));
  const close = make('button', 'keys-close', { type: 'button', textContent: help.close });
  close.addEventListener('click', () => element.close());
  element.append(make('h2', '', { textContent: help.title }), list, makeSwitch(), close);
  element.addEventListener('click', (event) => event.target === element && element.close());
  document.body.append(element);
  return element;
}

export function showKeys() {
  dialog ??= makeDialog();
  if (!dialog.open) dialog.showModal();
}
