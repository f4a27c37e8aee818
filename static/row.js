// One row of the list: its parts, and showing a todo in them.
//
// The Tab key stops once in each row; arrows go on to the other controls of it.

import { words } from './words.js';

const LINK = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'”’])/;

export function make(tag, className, properties) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

export const part = (row, className) => row.querySelector(`.${className}`);
export const isEditing = (row) => row.classList.contains('editing');

export function makeRow(todo) {
  const row = make('li', '', { tabIndex: -1, todo });
  const view = make('div', 'view');
  const title = make('label', 'title', { tabIndex: -1 });
  const name = make('span', 'name', { tabIndex: -1, dir: 'auto' });
  name.dataset.untitled = words.untitled;
  title.append(name);
  view.append(
    make('input', 'toggle', { type: 'checkbox' }),
    title,
    make('button', 'pen', { type: 'button', tabIndex: -1, hidden: true }),
    make('button', 'handle', { type: 'button', tabIndex: -1 }),
    make('button', 'destroy', { type: 'button', tabIndex: -1 }),
  );
  row.append(view);
  return row;
}

/* ---- showing ---- */

// A title with links in it is no button: what is in one can't be reached. It has a button beside it.
function drawName(row, title) {
  const name = part(row, 'name');
  const parts = title.split(LINK);
  const hasLinks = parts.length > 1;
  name.replaceChildren(...parts.map((text, index) =>
    index % 2 ? make('a', 'link', { href: text, textContent: text, target: '_blank', rel: 'noreferrer', tabIndex: -1 }) : text));
  name.role = hasLinks ? null : 'button';
  name.ariaLabel = hasLinks ? null : words.edit(title || words.untitled);
  part(row, 'pen').hidden = !hasLinks;
}

function drawTitle(row, title) {
  const named = title || words.untitled;
  row.shownTitle = title;
  drawName(row, title);
  part(row, 'pen').ariaLabel = words.edit(named);
  part(row, 'toggle').ariaLabel = words.toggle(named);
  part(row, 'handle').ariaLabel = words.move(named);
  part(row, 'destroy').ariaLabel = words.destroy(named);
  if (!stopOf(row)) stopAt(row, part(row, 'toggle'));
}

function drawCompleted(row, completed) {
  row.shownCompleted = completed;
  row.classList.toggle('completed', completed);
  part(row, 'toggle').checked = completed;
}

// Touches only what is not shown already: there may be thousands of rows.
export function drawRow(row, { title, completed }, waits) {
  if (row.shownTitle !== title) drawTitle(row, title);
  if (row.shownCompleted !== completed) drawCompleted(row, completed);
  if (row.shownWaits !== waits) row.classList.toggle('waits', waits);
  row.shownWaits = waits;
  if (row.style.minHeight && !isEditing(row)) row.style.minHeight = '';
}

/* ---- the keyboard's stop ---- */

function controlsOf(row) {
  const hasLinks = !part(row, 'pen').hidden;
  return [...row.querySelectorAll('.view :is(.toggle, .name, .link, .pen, .handle, .destroy)')].filter(
    (control) => (control.className === 'name' ? !hasLinks : !control.hidden),
  );
}

export const stopOf = (row) => controlsOf(row).find((control) => control.tabIndex === 0);

export function stopAt(row, control) {
  for (const other of row.querySelectorAll('.view [tabindex="0"]')) other.tabIndex = -1;
  part(row, 'toggle').tabIndex = -1;
  control.tabIndex = 0;
}

// The control that is `steps` further in the row; null at its ends.
export function besides(row, control, steps) {
  const controls = controlsOf(row);
  return controls[controls.indexOf(control) + steps] ?? null;
}
