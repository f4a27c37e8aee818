// Each sentence of TodoMVC's specification.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add, field, filled, focused, newContext, open, openPage, properties, row, sees, server, until,
} from './support.js';

const visible = async (page, ...selectors) =>
  Promise.all(selectors.map((selector) => page.locator(selector).isVisible()));

const completed = (page) =>
  page.locator('.todo-list > li').evaluateAll((rows) =>
    rows.map((item) => item.classList.contains('completed') && item.querySelector('.toggle').checked));

test('no todos: main and footer are hidden, and come with the first todo', async () => {
  const page = await openPage();
  const all = page.locator('.toggle-all');
  assert.deepEqual(await visible(page, '.main', '.footer'), [false, false]);
  await add(page, 'a');
  await until(() => visible(page, '.main', '.footer'), [true, true]);
  await row(page, 1).hover();
  await row(page, 1).locator('.destroy').click();
  await until(() => visible(page, '.main', '.footer'), [false, false]);
  assert.equal(await all.isChecked(), false, 'all of none is not checked');
});

test('new todo: the field has the focus, Enter appends and empties it', async () => {
  const page = await openPage();
  assert.equal(await focused(page), 'new-todo');
  await page.keyboard.type('one');
  await page.keyboard.press('Enter');
  await sees(page, 'one');
  assert.equal(await field(page).inputValue(), '');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  await sees(page, 'one', 'two');
  await until(async () => properties(await server.list(), 'title', 'completed'), [
    { title: 'one', completed: false },
    { title: 'two', completed: false },
  ]);
});

test('new todo: it is trimmed, and nothing but blanks is no todo', async () => {
  const page = await openPage();
  await add(page, '   ', '', '  tea  ');
  await sees(page, 'tea');
  await until(async () => properties(await server.list(), 'title'), [{ title: 'tea' }]);
});

test('new todo: Enter that ends the composing of a character adds nothing', async () => {
  const page = await openPage();
  await field(page).fill('买');
  for (const sign of [{ isComposing: true }, { keyCode: 229 }])
    await field(page).dispatchEvent('keydown', { key: 'Enter', ...sign });
  assert.equal(await field(page).inputValue(), '买');
  await sees(page);
  await field(page).press('Enter');
  await row(page, 1).locator('label').dblclick();
  for (const key of ['Enter', 'Escape'])
    await row(page, 1).locator('.edit').dispatchEvent('keydown', { key, keyCode: 229 });
  assert.equal(await focused(page), 'edit');
});

test('mark all: makes all the same as itself, and follows the todos', async () => {
  const page = await filled('a', { title: 'b', completed: true }, 'c');
  const all = page.locator('.toggle-all');
  assert.equal(await all.isChecked(), false);
  await all.check();
  await until(() => completed(page), [true, true, true]);
  await row(page, 2).locator('.toggle').uncheck();
  await until(() => all.isChecked(), false);
  await row(page, 2).locator('.toggle').check();
  await until(() => all.isChecked(), true);
  await all.uncheck();
  await until(() => completed(page), [false, false, false]);
  await until(async () => (await server.list()).map((todo) => todo.completed), [false, false, false]);
});

test('mark all: is cleared with the completed ones', async () => {
  const page = await filled({ title: 'a', completed: true });
  assert.equal(await page.locator('.toggle-all').isChecked(), true);
  await page.locator('.clear-completed').click();
  await add(page, 'b');
  await sees(page, 'b');
  assert.equal(await page.locator('.toggle-all').isChecked(), false);
});

test('item: its checkbox completes it, and makes it active again', async () => {
  const page = await filled('a', 'b');
  await row(page, 2).locator('.toggle').check();
  await until(() => completed(page), [false, true]);
  await until(async () => (await server.list()).map((todo) => todo.completed), [false, true]);
  await row(page, 2).locator('.toggle').uncheck();
  await until(async () => (await server.list()).map((todo) => todo.completed), [false, false]);
});

test('item: hovering it shows a button that deletes it', async () => {
  const page = await filled('a', 'b');
  const button = row(page, 1).locator('.destroy');
  const opacity = () => button.evaluate((element) => Number(getComputedStyle(element).opacity));
  assert.equal(await opacity(), 0);
  await row(page, 1).hover();
  await until(opacity, 1);
  await button.click();
  await sees(page, 'b');
  await until(async () => properties(await server.list(), 'title'), [{ title: 'b' }]);
});

test('editing: a double click hides the other controls and focuses the text', async () => {
  const page = await filled('a', 'b');
  await row(page, 2).locator('label').dblclick();
  assert.match(await row(page, 2).getAttribute('class'), /\bediting\b/);
  const parts = ['.toggle', 'label', '.destroy'].map((part) => row(page, 2).locator(part).isVisible());
  assert.deepEqual(await Promise.all(parts), [false, false, false]);
  assert.equal(await row(page, 2).locator('.edit').inputValue(), 'b');
  assert.equal(await focused(page), 'edit');
});

const endings = [
  { name: 'Enter saves', text: 'new', end: (page) => page.keyboard.press('Enter'), wanted: ['a', 'new', 'c'] },
  { name: 'leaving saves', text: 'new', end: (page) => field(page).click(), wanted: ['a', 'new', 'c'] },
  { name: 'a blur event of a script saves', text: 'new', end: (page) => row(page, 2).locator('.edit').dispatchEvent('blur'), wanted: ['a', 'new', 'c'] },
  { name: 'it is trimmed', text: '  new ', end: (page) => page.keyboard.press('Enter'), wanted: ['a', 'new', 'c'] },
  { name: 'an empty text deletes', text: '  ', end: (page) => page.keyboard.press('Enter'), wanted: ['a', 'c'] },
  { name: 'leaving an empty text deletes', text: '', end: (page) => field(page).click(), wanted: ['a', 'c'] },
  { name: 'Escape cancels', text: 'new', end: (page) => page.keyboard.press('Escape'), wanted: ['a', 'b', 'c'] },
];
for (const { name, text, end, wanted } of endings)
  test(`editing: ${name}`, async () => {
    const page = await filled('a', 'b', 'c');
    await row(page, 2).locator('label').dblclick();
    await row(page, 2).locator('.edit').fill(text);
    await end(page);
    await sees(page, ...wanted);
    assert.equal(await page.locator('.editing').count(), 0);
    await until(async () => (await server.list()).map((todo) => todo.title), wanted);
  });

test('counter: the number of active todos, in singular and plural', async () => {
  const page = await filled('a', 'b');
  const count = () => page.locator('.todo-count').innerText();
  await until(count, '2 items left');
  assert.equal(await page.locator('.todo-count strong').innerText(), '2');
  await row(page, 1).locator('.toggle').check();
  await until(count, '1 item left');
  await row(page, 2).locator('.toggle').check();
  await until(count, '0 items left');
});

test('clear completed: removes them, and hides when there are none', async () => {
  const page = await filled('a', { title: 'b', completed: true }, { title: 'c', completed: true });
  const button = page.locator('.clear-completed');
  assert.equal(await button.innerText(), 'Clear completed');
  await button.click();
  await sees(page, 'a');
  await until(() => button.isVisible(), false);
  await until(async () => properties(await server.list(), 'title'), [{ title: 'a' }]);
});

test('persistence: todos and filter are there after a reload, editing is not', async () => {
  const page = await filled('a', { title: 'b', completed: true });
  await page.getByRole('link', { name: 'Completed' }).click();
  await row(page, 1).locator('label').dblclick();
  await page.reload();
  await sees(page, 'b');
  assert.equal(await page.locator('.editing').count(), 0);
});

test('routing: each filter has its address, is marked, and back and forward work', async () => {
  const page = await filled('a', { title: 'b', completed: true });
  const state = async () => [new URL(page.url()).hash, await page.locator('.selected').innerText()];
  assert.equal(await page.locator('.filters a.selected').innerText(), 'All');
  await page.getByRole('link', { name: 'Active' }).click();
  await sees(page, 'a');
  assert.deepEqual(await state(), ['#/active', 'Active']);
  await page.getByRole('link', { name: 'Completed' }).click();
  await sees(page, 'b');
  assert.deepEqual(await state(), ['#/completed', 'Completed']);
  await page.getByRole('link', { name: 'All' }).click();
  await sees(page, 'a', 'b');
  assert.deepEqual(await state(), ['#/', 'All']);
  await page.goBack();
  await sees(page, 'b');
  await page.goBack();
  await sees(page, 'a');
  await page.goForward();
  await sees(page, 'b');
  assert.deepEqual(await state(), ['#/completed', 'Completed']);
});

test('routing: a todo that stops to match its filter goes from sight', async () => {
  const page = await filled('a', 'b');
  await page.getByRole('link', { name: 'Active' }).click();
  await row(page, 1).locator('.toggle').click();
  await sees(page, 'b');
  await page.locator('.toggle-all').check();
  await sees(page);
  assert.deepEqual(await visible(page, '.main', '.footer'), [true, true]);
});

test('routing: an address opens its filter, and the field has the focus', async () => {
  await server.fill('a', { title: 'b', completed: true });
  const page = await open(await newContext(), '/#/active');
  await sees(page, 'a');
  assert.equal(await focused(page), 'new-todo');
});
