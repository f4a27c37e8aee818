// The dialog that tells all keys, loaded when it is asked for.

import { letters } from './keys.js';
import { make } from './row.js';
import { words } from './words.js';

let dialog = null;

function makeSwitch() {
  const label = make('label', 'keys-switch');
  const box = make('input', '', { type: 'checkbox', checked: !letters.areOff });
  box.addEventListener('change', () => {
    letters.areOff = !box.checked;
  });
  label.append(box, words.keysSingle);
  return label;
}

function makeTerm(keys) {
  const term = make('dt', '');
  const parts = keys.split(/(, | )/);
  term.append(...parts.map((text, index) => (index % 2 ? text : make('kbd', '', { textContent: text }))));
  return term;
}

function makeDialog() {
  const element = make('dialog', 'keys', { ariaLabel: words.keysTitle });
  const list = make('dl', '');
  for (const [keys, meaning] of words.keyList) list.append(makeTerm(keys), make('dd', '', { textContent: meaning }));
  const close = make('button', 'keys-close', { type: 'button', textContent: words.close });
  close.addEventListener('click', () => element.close());
  element.append(make('h2', '', { textContent: words.keysTitle }), list, makeSwitch(), close);
  element.addEventListener('click', (event) => event.target === element && element.close());
  document.body.append(element);
  return element;
}

export function showKeys() {
  dialog ??= makeDialog();
  if (!dialog.open) dialog.showModal();
}
