// What can be taken back, by the bar and by keyboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add, field, filled, focused, openPage, refuse, row, sees, server, until,
} from './support.js';

const four = ['a', 'b', 'c', 'd'].map((title, index) => ({ title, completed: title === 'b', order: index * 10 - 10 }));
const state = async () =>
  (await server.list()).sort((a, b) => a.order - b.order).map(({ title, completed }) => title + (completed ? '!' : ''));
const offer = (page) => page.locator('.offer-text').textContent();
const undo = (page) => page.getByRole('button', { name: 'Undo' }).click();

const ways = {
  'a click of ×': {
    act: async (page) => {
      await row(page, 2).hover();
      await row(page, 2).locator('.destroy').click();
    },
    said: 'Deleted: “b”.', seen: ['a', 'c', 'd'],
  },
  'the Delete key': {
    act: async (page) => {
      await row(page, 2).locator('.name').focus();
      await page.keyboard.press('Delete');
    },
    said: 'Deleted: “b”.', seen: ['a', 'c', 'd'],
  },
  'an emptied edit': {
    act: async (page) => {
      await row(page, 2).locator('label').dblclick();
      await row(page, 2).locator('.edit').fill('');
      await page.keyboard.press('Enter');
    },
    said: 'Deleted: “b”.', seen: ['a', 'c', 'd'],
  },
  'clear completed': { act: (page) => page.locator('.clear-completed').click(), said: 'Deleted: “b”.', seen: ['a', 'c', 'd'] },
  'mark all': { act: (page) => page.locator('.toggle-all').click(), said: 'Marked 3 as complete.', seen: ['a', 'b', 'c', 'd'] },
};
for (const [name, { act, said, seen }] of Object.entries(ways))
  test(`undo: ${name}`, async () => {
    const page = await filled(...four);
    await act(page);
    await sees(page, ...seen);
    await until(() => offer(page), said);
    assert.equal(await page.locator('.spoken').textContent(), said);
    await until(async () => (await state()).join() !== 'a,b!,c,d', true);
    await undo(page);
    await until(state, ['a', 'b!', 'c', 'd']);
    await sees(page, 'a', 'b', 'c', 'd');
    await until(() => offer(page), '');
  });

test('undo: of several that were cleared', async () => {
  const page = await filled(...four.map((todo) => ({ ...todo, completed: todo.title !== 'c' })));
  await page.locator('.clear-completed').click();
  await until(() => offer(page), 'Deleted 3 todos.');
  await until(state, ['c']);
  await undo(page);
  await until(state, ['a!', 'b!', 'c', 'd!']);
});

// Todos of other clients have none, and stand by their numbers.
for (const order of [undefined, 7])
  test(`undo: back to where they were, those of ${order ? 'one order' : 'no order'}`, async () => {
    const page = await filled(...['a', 'b', 'c', 'd', 'e'].map((title) => ({ title, order, completed: 'bce'.includes(title) })));
    await page.locator('.clear-completed').click();
    await until(async () => (await server.list()).length, 2);
    await undo(page);
    await sees(page, 'a', 'b', 'c', 'd', 'e');
    await until(async () => (await server.list()).filter(({ title }) => 'bce'.includes(title)).every(({ completed }) => completed), true);
    await until(async () => (await server.list()).length, 5);
    await page.reload();
    await sees(page, 'a', 'b', 'c', 'd', 'e');
    await row(page, 2).locator('.name').focus();
    await page.keyboard.press('Delete');
    await sees(page, 'a', 'c', 'd', 'e');
    await page.keyboard.press('u');
    await sees(page, 'a', 'b', 'c', 'd', 'e');
  });

for (const key of ['u', 'Control+z'])
  test(`undo: by ${key}, also when the offer has gone, but not while something is typed`, async () => {
    const page = await filled(...four);
    await page.clock.install();
    await row(page, 2).locator('.name').focus();
    await page.keyboard.press('Delete');
    await until(() => offer(page), 'Deleted: “b”.');
    await page.mouse.move(5, 5);
    await page.clock.runFor(9000);
    await until(() => offer(page), '');
    await field(page).focus();
    await page.keyboard.press(key);
    await row(page, 1).locator('.name').focus();
    await until(state, ['a', 'c', 'd']);
    await page.keyboard.press(key);
    await page.clock.runFor(1000);
    await until(state, ['a', 'b!', 'c', 'd']);
    await page.keyboard.press(key);
    await page.clock.runFor(1000);
    await sees(page, 'a', 'b', 'c', 'd');
  });

test('undo: an offer stays while it is pointed at', async () => {
  const page = await filled(...four);
  await page.clock.install();
  await row(page, 2).locator('.name').focus();
  await page.keyboard.press('Delete');
  await until(() => offer(page), 'Deleted: “b”.');
  await page.locator('.undo').hover();
  await page.clock.runFor(20000);
  assert.equal(await offer(page), 'Deleted: “b”.');
});

test('undo: of what could not be deleted adds nothing', async () => {
  const page = await filled('a');
  await refuse(page, ['DELETE'], { status: 500, contentType: 'application/json', body: '{"detail":"No."}' });
  await row(page, 1).hover();
  await row(page, 1).locator('.destroy').click();
  await page.locator('.retry').waitFor();
  await undo(page);
  await add(page, 'z');
  await until(async () => (await server.list()).map(({ title }) => title), ['a', 'z']);
});

test('undo: the bar moves no row, and the focus goes back where it was', async () => {
  const page = await filled(...four);
  const places = () => page.locator('.todo-list > li').evaluateAll((rows) => rows.map((item) => item.getBoundingClientRect().top));
  const [first, , third] = await places();
  await row(page, 2).locator('.name').focus();
  await page.keyboard.press('Delete');
  await until(() => offer(page), 'Deleted: “b”.');
  await page.locator('.offer').evaluate((bar) => Promise.all(bar.getAnimations().map(({ finished }) => finished)));
  assert.deepEqual((await places()).slice(0, 1), [first]);
  await page.locator('.undo').focus();
  await page.keyboard.press('Enter');
  await sees(page, 'a', 'b', 'c', 'd');
  assert.equal((await places())[2], third);
  assert.equal(await focused(page), 'name');
});

test('phone: after the last deletion, the keyboard does not spring up', async () => {
  await server.fill({ title: 'a', completed: true });
  const page = await openPage({ viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true });
  await page.locator('.clear-completed').tap();
  await sees(page);
  assert.equal(await focused(page), 'todoapp');
});
