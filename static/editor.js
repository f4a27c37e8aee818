// Editing a row's title in place.

import { count } from './lines.js';
import { isEditing, make, part } from './row.js';
import { words } from './words.js';

let actions; // { rename(todo, title, from), remove(todo), redraw() }

// As high as its text; a row never gets lower by that than it was.
export function grow(edit) {
  edit.style.height = 'auto';
  edit.style.height = `${edit.scrollHeight}px`;
  edit.parentElement.dataset.count = count(edit.value);
}

const makeField = (row) => make('textarea', 'edit', {
  rows: 1, dir: 'auto', autocomplete: 'off', enterKeyHint: 'done', ariaLabel: words.edit(row.shownTitle || words.untitled),
});

export function open(row, text) {
  const edit = makeField(row);
  row.style.minHeight = `${row.offsetHeight}px`; // the rows below stay where they are
  row.classList.add('editing');
  row.todo.editing = true;
  row.append(edit);
  edit.value = text;
  row.openedWith = edit.value.trim();
  row.todo.from = row.shownTitle;
  grow(edit);
}

export function edit(row) {
  if (isEditing(row)) return;
  open(row, row.shownTitle);
  const field = part(row, 'edit');
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

// Until it is drawn, the row stays as high as it is: something below may be pressed.
function close(row) {
  row.style.minHeight = `${row.offsetHeight}px`;
  row.classList.remove('editing');
  row.todo.editing = false;
  part(row, 'edit').remove();
  actions.redraw();
}

// What was not changed is not sent: it would undo what others did meanwhile.
export function save(row) {
  const title = part(row, 'edit').value.trim();
  close(row);
  if (title === row.openedWith || title === row.shownTitle) return;
  if (title === '') actions.remove(row.todo);
  else actions.rename(row.todo, title, row.todo.from);
}

export const cancel = close;

// The server never had that text, so it is saved even if it is left as it is.
export function openUnsaved(row) {
  const active = document.activeElement;
  open(row, row.todo.unsaved);
  row.openedWith = null;
  if (active === document.body || row.contains(active)) part(row, 'edit').focus();
}

export function start(given) {
  actions = given;
}
