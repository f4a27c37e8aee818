// Editing a row's title in place.

import { count, isTooLong } from './lines.js';
import { isEditing, make, part } from './row.js';
import { words } from './words.js';

let actions; // { rename(todo, title, from), remove(todo), redraw() }

// How much of a title's room is used stands behind its field; it is spoken when it comes to be shown,
// and for as long as it is too much.
export function showCount(field) {
  const shown = field.nextElementSibling;
  const text = count(field.value);
  if (text && (!shown.textContent || isTooLong(field.value))) document.querySelector('.spoken').textContent = text;
  shown.textContent = text;
}

// As high as its text; a row never gets lower by that than it was.
export function grow(edit) {
  edit.style.height = 'auto';
  edit.style.height = `${edit.scrollHeight}px`;
  showCount(edit);
}

const makeField = (row) => make('textarea', 'edit', {
  rows: 1, dir: 'auto', autocomplete: 'off', enterKeyHint: 'done', ariaLabel: words.edit(row.shownTitle || words.untitled),
});

export function open(row, text) {
  const edit = makeField(row);
  row.style.minHeight = `${row.offsetHeight}px`; // the rows below stay where they are
  row.classList.add('editing');
  row.todo.editing = true;
  row.append(edit, make('span', 'count'));
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
  for (const name of ['edit', 'count']) part(row, name).remove();
  actions.redraw();
}

const titleIn = (row) => part(row, 'edit').value.trim();

// What was not changed is not sent: it would undo what others did meanwhile.
export const isUnsaved = (row) => ![row.openedWith, row.shownTitle].includes(titleIn(row));

export function save(row) {
  const title = titleIn(row);
  const isNew = isUnsaved(row);
  close(row);
  if (!isNew) return;
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
