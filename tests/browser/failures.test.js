// What the page does when an answer is wrong or late, when it can't start, and how it says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add, field, filled, focused, message, newContext, open, openPage, properties, record, refuse,
  row, sees, server, tolerate, until,
} from './support.js';

const ALL = ['GET', 'POST', 'PATCH', 'DELETE'];
const NONSENSE = 'The server’s answer makes no sense – signed out?';
const html = '<!doctype html><title>Sign in</title><form method="post">';

const reread = (page) => page.evaluate(() => void dispatchEvent(new Event('focus')));
const pathOf = async (index) => new URL((await server.list())[index].url).pathname;

/* ---- answers that are not the API's ---- */

// The todo that an answer is about, as the API would give it but for these fields.
const about = (request, fields) => {
  const number = request.url().match(/\d+$/)?.[0] ?? '1';
  const todo = { url: `http://a/todos/${number}`, title: 'a', completed: false, order: 1, ...fields };
  return JSON.stringify(request.url().endsWith('/todos') && request.method() === 'GET' ? [todo] : todo);
};

const json = (body) => () => ({ status: 200, contentType: 'application/json', body });
const page200 = () => ({ status: 200, contentType: 'text/html', body: html });
const answers = {
  'a login page': page200,
  'a redirect to a login page': () => ({ status: 302, headers: { Location: '/static/favicon.svg' } }),
  'a redirect to another host': () => ({ status: 302, headers: { Location: 'http://127.0.0.1:9/login' } }),
  'nothing': () => ({ status: 200, body: '' }),
  'null': json('null'),
  'an empty object': json('{}'),
  'a string': json('"x"'),
  'a list of no todos': json('[null, 1, {"todos": "/todos"}]'),
  'a todo of wrong types': (request) => json(about(request, { title: 1, completed: 'no', order: '1' }))(),
  'the beginning of an answer': (request) => json(about(request).slice(0, -3))(),
  'a proxy’s 404': () => ({ status: 404, contentType: 'text/html', body: '<h1>404 page not found</h1>' }),
  'a gateway’s 404': () => ({ status: 404, contentType: 'application/json', body: '{"message":"no route"}' }),
  'a 401': () => ({ status: 401, contentType: 'application/json', body: '{"detail":"Who are you?"}' }),
};
for (const [name, answer] of Object.entries(answers))
  test(`${name} is no answer: it is said, nothing is lost, and all is sent when it is over`, async () => {
    const page = await filled('a', 'b');
    const restore = await refuse(page, ALL, answer);
    await add(page, 'precious');
    await until(() => message(page), `${NONSENSE} 1 change waits for the server.`);
    assert.equal(await row(page, 3).evaluate((element) => element.classList.contains('waits')), true);
    await row(page, 1).locator('.toggle').click();
    await row(page, 2).locator('label').dblclick();
    await row(page, 2).locator('.edit').fill('long thought');
    await page.keyboard.press('Enter');
    await until(() => message(page), `${NONSENSE} 3 changes wait for the server.`);
    await sees(page, 'a', 'long thought', 'precious');
    await restore();
    await until(() => message(page), ''); // by itself
    await until(async () => properties(await server.list(), 'title', 'completed'), [
      { title: 'a', completed: true }, { title: 'long thought', completed: false }, { title: 'precious', completed: false },
    ]);
    assert.equal(await page.locator('.waits').count(), 0);
  });

test('each field of a todo is looked at, and whose answer it is', async () => {
  const page = await filled('a');
  let answer;
  tolerate(/Failed to load resource/);
  await page.route('**/todos', (route) => (answer ? route.fulfill(answer(route.request())) : route.fallback()));
  for (const fields of [
    { url: null }, { url: 1 }, { url: 'http://a/todos/x' }, { url: 'http://[/elsewhere' }, { title: 1 },
    { title: undefined }, { completed: null }, { completed: 1 }, { order: '1' }, { order: 1.5 },
    { order: undefined },
  ]) {
    answer = (request) => json(about(request, fields))();
    await reread(page);
    await until(() => message(page), `The list could not be read. ${NONSENSE}`, JSON.stringify(fields));
    await sees(page, 'a');
    answer = null;
    await reread(page);
    await until(() => message(page), '');
  }
  await page.route('**/todos/*', (route) => route.fulfill(json(about(route.request(), { url: 'http://a/todos/0' }))()));
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), `${NONSENSE} 1 change waits for the server.`);
});

for (const [name, answer, words] of [
  ['a login page', page200(), NONSENSE],
  ['a refusal', { status: 500, contentType: 'application/json', body: '{"detail":"No."}' }, 'The server said no (500): No.'],
])
  test(`opened with ${name} instead of the list: it is said, and the list comes by itself`, async () => {
    await server.fill('a');
    tolerate(/Failed to load resource/);
    const context = await newContext();
    let isWrong = true;
    await context.route('**/todos', (route) => (isWrong ? route.fulfill(answer) : route.fallback()));
    const page = await open(context);
    await until(() => message(page), `The list could not be read. ${words}`);
    isWrong = false;
    await sees(page, 'a');
    await until(() => message(page), '');
  });

test('signed out: another tab can sign in, and what was typed arrives', async () => {
  const page = await filled('a');
  const restore = await refuse(page, ALL, page200);
  await add(page, 'precious');
  const link = page.getByRole('link', { name: 'Open in a new tab' });
  await link.waitFor();
  const opened = page.context().waitForEvent('page');
  await link.click();
  await sees(await opened, 'a');
  await restore();
  await until(() => message(page), '');
  assert.equal(await link.count(), 0);
  await until(async () => properties(await server.list(), 'title'), [{ title: 'a' }, { title: 'precious' }]);
});

test('what never gets an answer of the server can be given up', async () => {
  const page = await filled('a');
  await refuse(page, ['PATCH'], page200);
  await row(page, 1).locator('.toggle').click();
  const asked = page.waitForEvent('dialog').then((dialog) => dialog.accept().then(() => dialog.message()));
  await page.getByRole('button', { name: 'Discard' }).click();
  assert.equal(await asked, 'Discard the change that waits?');
  await until(() => message(page), '');
  assert.equal(await row(page, 1).locator('.toggle').isChecked(), false);
});

test('signed out, in Chinese', async () => {
  const page = await openPage({ locale: 'zh-CN' });
  await refuse(page, ALL, page200);
  await add(page, '牛奶');
  await until(() => message(page), '服务器的回答无法理解，您可能已退出登录。 1 项更改在等待服务器。');
  assert.equal(await page.locator('.elsewhere').innerText(), '在新标签页中打开');
});

const refusal = { status: 400, contentType: 'application/json', body: '{"title":["No, thank you."]}' };

test('a toggle that is refused while something is pressed goes back, too', async () => {
  const page = await filled('a');
  await refuse(page, ['PATCH'], refusal);
  const failed = page.waitForResponse((response) => response.request().method() === 'PATCH');
  await row(page, 1).locator('.toggle').evaluate((toggle) => {
    toggle.click();
    dispatchEvent(new PointerEvent('pointerdown'));
  });
  await (await failed).finished();
  await page.evaluate(() => void dispatchEvent(new PointerEvent('pointerup')));
  await until(() => message(page), 'Not changed: “a”. The server said no (400): No, thank you.');
  assert.equal(await row(page, 1).locator('.toggle').isChecked(), false);
});

/* ---- what the server refuses ---- */

test('a toggle that is refused is taken back, in words that go with what is done next', async () => {
  const page = await filled('a');
  const restore = await refuse(page, ['PATCH'], refusal);
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), 'Not changed: “a”. The server said no (400): No, thank you.');
  assert.equal(await row(page, 1).locator('.toggle').isChecked(), false);
  await restore();
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), '');
  assert.equal(await row(page, 1).locator('.toggle').isChecked(), true);
});

test('a deletion that failed brings the todo back, and can be tried again; the focus comes back, too', async () => {
  const page = await filled('a', 'b');
  const restore = await refuse(page, ['DELETE'], { status: 500, contentType: 'application/json', body: '{"detail":"No."}' });
  await row(page, 1).locator('.name').focus();
  await page.keyboard.press('Delete');
  await until(() => message(page), 'Not deleted: “a”. The server said no (500): No.');
  await sees(page, 'a', 'b');
  await restore();
  await page.getByRole('button', { name: 'Try again' }).focus();
  await page.keyboard.press('Enter');
  await sees(page, 'b');
  await until(() => message(page), '');
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'BODY');
  await page.getByRole('button', { name: 'Undo' }).click();
  await until(async () => (await server.list()).map(({ title }) => title).sort(), ['a', 'b']);
});

test('several refusals are all told', async () => {
  const page = await filled('a', 'b', 'c');
  await refuse(page, ['PATCH', 'DELETE'], refusal);
  await page.locator('.toggle-all').click();
  await until(() => message(page), 'Not changed: “a”, “b”, “c”. The server said no (400): No, thank you.');
  await page.evaluate(() => {
    for (const button of [...document.querySelectorAll('.destroy')].slice(1)) button.click();
  });
  await until(async () => /“b”.*“c”|“c”/.test(await message(page)), true);
});

test('a new todo that is refused gives its text back to the empty field', async () => {
  const page = await openPage();
  const restore = await refuse(page, ['POST'], refusal);
  await add(page, 'precious');
  await until(() => message(page), 'Not added: “precious”. The server said no (400): No, thank you.');
  assert.equal(await field(page).inputValue(), 'precious');
  await sees(page);
  await restore();
  await field(page).press('Enter');
  await sees(page, 'precious');
  await until(() => message(page), '');
});

test('a new todo that is refused while something else was typed is held by the message, then in the field', async () => {
  const page = await openPage();
  let answer;
  const answered = new Promise((done) => { answer = done; });
  tolerate(/Failed to load resource/);
  await page.route('**/todos', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    await answered;
    return route.fulfill(refusal);
  });
  const text = 'precious '.repeat(8).trim();
  await add(page, text);
  await sees(page, text);
  await field(page).fill('something else');
  answer();
  await until(() => message(page), `Not added: “${text}”. The server said no (400): No, thank you.`);
  assert.equal(await field(page).inputValue(), 'something else');
  await page.unrouteAll();
  await field(page).press('Enter');
  await sees(page, 'something else');
  await until(() => field(page).inputValue(), text);
  await until(() => message(page), '');
});

test('an edit that is refused stays open with its text', async () => {
  const page = await filled('a', 'b');
  const restore = await refuse(page, ['PATCH'], refusal);
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('long thought');
  await page.keyboard.press('Enter');
  await until(() => message(page), 'Not saved: “long thought”. The server said no (400): No, thank you.');
  assert.match(await row(page, 1).getAttribute('class'), /editing/);
  assert.equal(await row(page, 1).locator('.edit').inputValue(), 'long thought');
  assert.equal(await focused(page), 'edit');
  await page.keyboard.press('Escape');
  await sees(page, 'a', 'b');
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('second thought');
  await restore();
  await page.keyboard.press('Enter');
  await sees(page, 'second thought', 'b');
  await until(() => message(page), '');
});

for (const [locale, words] of [['en', /no more than 256 characters/], ['zh-CN', /不能超过 256 个字符/]])
  test(`a title that is too long is counted, refused in words, and stays: ${locale}`, async () => {
    const page = await openPage({ locale });
    tolerate(/Failed to load resource/);
    const counted = () => page.locator('.entry .count').innerText();
    const spoken = () => page.locator('.spoken').textContent();
    await field(page).fill('x'.repeat(199));
    assert.equal(await counted(), '');
    await field(page).fill('x'.repeat(200));
    assert.equal(await counted(), '200/256');
    assert.equal(await spoken(), '200/256');
    await field(page).fill('x'.repeat(201));
    assert.equal(await spoken(), '200/256', 'not at each key');
    await field(page).fill('x'.repeat(257));
    assert.equal(await counted(), '257/256');
    assert.equal(await spoken(), '257/256');
    await field(page).press('Enter');
    await until(async () => words.test(await message(page)), true);
    assert.equal(await field(page).inputValue(), 'x'.repeat(257));
    assert.equal(await counted(), '257/256');
    await sees(page);
    await field(page).fill('short');
    await field(page).press('Enter');
    await sees(page, 'short');
    await until(() => message(page), '');
  });

/* ---- edits ---- */

// Others rename the todo that is being edited.
async function renameByOthers(page, index, title) {
  await server.ask('PATCH', await pathOf(index), { title });
  await reread(page);
  await until(() => row(page, index + 1).locator('.name').textContent(), title);
}

// Proves that nothing but this was sent: it comes after all that was.
async function sentNothing(page, sent) {
  await row(page, 1).locator('.toggle').click();
  await until(() => sent, [['PATCH', { completed: true }]]);
}

const leavings = {
  'Enter': (page) => page.keyboard.press('Enter'),
  'Escape': (page) => page.keyboard.press('Escape'),
  'Tab': (page) => page.keyboard.press('Tab'),
  'the field': (page) => field(page).click(),
  'a click elsewhere': (page) => page.locator('h1').click(),
  'a blur by a script': (page) => page.locator('.editing .edit').dispatchEvent('blur'),
  'a filter': (page) => page.getByRole('link', { name: 'All' }).click(),
  'a reload': (page) => page.reload(),
};
for (const [name, leave] of Object.entries(leavings))
  test(`an editor left untouched writes nothing: ${name}`, async () => {
    const page = await filled('meet Ada', 'line one\nline two', {}, 'typed back');
    const sent = record(page);
    for (const number of [1, 2, 3, 4]) {
      await row(page, number).locator('label').dblclick();
      assert.equal(await focused(page), 'edit');
      if (number === 1) await renameByOthers(page, 0, 'meet Ada at 10:30');
      if (number === 4) {
        await page.keyboard.type('x ');
        await renameByOthers(page, 3, 'by another one');
        await page.keyboard.press('Backspace');
        await page.keyboard.press('Backspace');
        await page.keyboard.type('  ');
      }
      await leave(page);
      await until(() => page.locator('.editing').count(), 0);
    }
    await sees(page, 'meet Ada at 10:30', 'line one\nline two', '', 'by another one');
    await sentNothing(page, sent);
    assert.deepEqual((await server.list()).map((todo) => todo.title),
      ['meet Ada at 10:30', 'line one\nline two', null, 'by another one']);
  });

// Two people edit the same title: the page's user, and one who is faster.
async function conflict(page) {
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('meet Ada at noon');
  await server.ask('PATCH', await pathOf(0), { title: 'meet Ada at 10:30', completed: true });
  await page.keyboard.press('Enter');
  await until(() => message(page), 'Changed to “meet Ada at 10:30” meanwhile. Yours: “meet Ada at noon”.');
  await sees(page, 'meet Ada at 10:30', 'b');
}

for (const [name, wanted] of [['Use theirs', 'meet Ada at 10:30'], ['Use mine', 'meet Ada at noon']])
  test(`both typed: the later one is told and chooses: ${name}`, async () => {
    const page = await filled('meet Ada', 'b');
    tolerate(/Failed to load resource/);
    await conflict(page);
    await page.getByRole('button', { name }).click();
    await until(() => message(page), '');
    await sees(page, wanted, 'b');
    await add(page, 'c');
    await until(async () => properties(await server.list(), 'title', 'completed').slice(0, 2),
      [{ title: wanted, completed: true }, { title: 'b', completed: false }]);
  });

test('both typed: what the user wrote stays to be chosen, whatever is done next, and can be too late again', async () => {
  const page = await filled('meet Ada', 'b');
  tolerate(/Failed to load resource/);
  await conflict(page);
  await row(page, 2).locator('.toggle').click();
  await until(async () => (await server.list())[1].completed, true);
  assert.match(await message(page), /meet Ada at noon/);
  await server.ask('PATCH', await pathOf(0), { title: 'meet Bob' });
  await page.getByRole('button', { name: 'Use mine' }).click();
  await until(() => message(page), 'Changed to “meet Bob” meanwhile. Yours: “meet Ada at noon”.');
});

test('another’s tick or move is no conflict with an edit, however often it comes between', async () => {
  const page = await filled('a');
  tolerate(/Failed to load resource/);
  const path = await pathOf(0);
  let times = 0;
  await page.route('**/todos/*', async (route) => {
    if (route.request().method() === 'PATCH' && times < 3) await server.ask('PATCH', path, { order: ++times });
    await route.fallback();
  });
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('b');
  await page.keyboard.press('Enter');
  await until(async () => properties(await server.list(), 'title', 'order'), [{ title: 'b', order: 3 }]);
  await until(() => message(page), '');
  await sees(page, 'b');
});

test('an edit to what the row has by now sends nothing', async () => {
  const page = await filled('a');
  const sent = record(page);
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('b');
  await renameByOthers(page, 0, 'b');
  await page.keyboard.press('Enter');
  await sentNothing(page, sent);
});

test('the lines of a title are edited as lines', async () => {
  const page = await filled('line one\nline two');
  await row(page, 1).locator('label').dblclick();
  assert.equal(await row(page, 1).locator('.edit').inputValue(), 'line one\nline two');
  await row(page, 1).locator('.edit').press('End');
  await page.keyboard.type('!');
  await page.keyboard.press('Enter');
  await until(async () => (await server.list())[0].title, 'line one\nline two!');
});

test('an edit that failed is saved on leaving, though it is untouched since', async () => {
  const page = await filled('a');
  const restore = await refuse(page, ['PATCH'], { status: 400, contentType: 'application/json', body: '{"title":["No."]}' });
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('long thought');
  await page.keyboard.press('Enter');
  await until(() => row(page, 1).locator('.edit').isVisible(), true);
  await restore();
  await field(page).click();
  await until(async () => (await server.list())[0].title, 'long thought');
  await until(() => message(page), '');
});

// Lets PATCH requests wait until they are failed.
async function holdPatches(page) {
  let fail;
  const failing = new Promise((done) => { fail = done; });
  tolerate(/Failed to load resource/);
  await page.route('**/todos/*', async (route) => {
    await failing;
    await route.fulfill(refusal);
  });
  return fail;
}

test('an edit that failed while it was open again is saved on leaving, too', async () => {
  const page = await filled('a');
  const fail = await holdPatches(page);
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('long thought');
  await page.keyboard.press('Enter');
  await row(page, 1).locator('label').dblclick();
  fail();
  await until(() => message(page), 'Not saved: “long thought”. The server said no (400): No, thank you.');
  await page.unrouteAll();
  await field(page).click();
  await until(async () => (await server.list())[0].title, 'long thought');
});

test('an edit that fails opens again though a filter hides its todo by now', async () => {
  const page = await filled('a');
  const fail = await holdPatches(page);
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('long thought');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Completed' }).click();
  await sees(page);
  fail();
  await until(() => row(page, 1).locator('.edit').inputValue(), 'long thought');
  await page.unrouteAll();
  await row(page, 1).locator('.edit').press('Enter');
  await sees(page);
  await until(async () => (await server.list())[0].title, 'long thought');
});

/* ---- the message ---- */

// Where everything stands, in the window.
const places = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('h1, .new-todo, .toggle-all, .todo-list > li, .footer, .info')].map((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return [left, top, width, height].join(' ');
    }));

for (const width of [390, 1280])
  for (const from of ['top', 'bottom'])
    test(`a message moves nothing, at ${width} pixels, from the ${from}`, async () => {
      await server.fill(...Array.from({ length: 20 }, (_, index) => `todo ${index}`));
      const page = await openPage({ viewport: { width, height: 800 }, reducedMotion: 'reduce' });
      await row(page, 20).waitFor();
      if (from === 'bottom') await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      const before = await places(page);
      const isSaid = () => page.locator('.message').evaluate((bar) => bar.classList.contains('shown'));

      let restore = await refuse(page, ALL);
      await reread(page);
      await until(isSaid, true);
      assert.deepEqual(await places(page), before, 'during it');
      await page.mouse.move(5, 5);
      await page.mouse.down();
      await restore();
      const read = page.waitForResponse((response) => response.url().endsWith('/todos'));
      await reread(page);
      await (await read).finished();
      await page.evaluate(() => new Promise(requestAnimationFrame));
      assert.equal(await isSaid(), true, 'it stays as long as something is pressed');
      assert.deepEqual(await places(page), before, 'pressed');
      await page.mouse.up();
      await until(isSaid, false);
      assert.deepEqual(await places(page), before, 'after it');

      await page.mouse.down();
      restore = await refuse(page, ALL);
      const failed = page.waitForEvent('requestfailed');
      await reread(page);
      await failed;
      await page.evaluate(() => new Promise(requestAnimationFrame));
      assert.equal(await isSaid(), false, 'nor does it come then');
      await page.mouse.up();
      await until(isSaid, true);
      assert.deepEqual(await places(page), before, 'again');
    });

const long = 'word '.repeat(50).trim();
for (const width of [320, 390, 1280])
  test(`the bars lie over the bottom and hide nothing for good, at ${width} pixels`, async () => {
    await server.fill(long, ...Array.from({ length: 20 }, (_, index) => `todo ${index}`));
    const page = await openPage({ viewport: { width, height: 800 }, reducedMotion: 'reduce' });
    await row(page, 21).waitFor();
    await refuse(page, ['DELETE'], { status: 500, contentType: 'application/json', body: '{"detail":"No."}' });
    await row(page, 1).locator('.name').focus();
    await page.keyboard.press('Delete');
    await page.locator('.retry').waitFor();
    const found = await page.evaluate(() => {
      const rect = (selector) => document.querySelector(selector).getBoundingClientRect();
      const text = document.querySelector('.message-text');
      const lines = text.clientHeight / parseFloat(getComputedStyle(text).lineHeight);
      const gap = rect('.footer').top - rect('.message').bottom;
      const bars = rect('.message').top - rect('.offer').bottom;
      scrollTo(0, document.documentElement.scrollHeight);
      return {
        gap, bars,
        inside: rect('.message').left >= 0 && rect('.message').right <= innerWidth,
        lines: Math.round(lines * 10) / 10,
        isWhole: text.scrollHeight <= text.clientHeight,
        buttons: Math.min(rect('.retry').height, rect('.undo').height),
        free: rect('.offer').top - rect('.info p:last-child').bottom,
      };
    });
    assert.ok(found.gap >= 0 && found.gap < 40 && found.bars >= 0, JSON.stringify(found));
    assert.ok(found.inside && found.isWhole && found.lines <= 4, JSON.stringify(found));
    assert.ok(found.buttons >= 44, JSON.stringify(found));
    assert.ok(found.free >= 0, JSON.stringify(found));
  });

test('a message hides nothing that the Tab key goes to', async () => {
  await server.fill(...Array.from({ length: 20 }, (_, index) => `todo ${index}`));
  const page = await openPage({ viewport: { width: 390, height: 800 } });
  await row(page, 20).waitFor();
  await refuse(page, ALL);
  await reread(page);
  await page.locator('.retry').waitFor();
  for (let number = 1; number <= 20; number++) {
    await row(page, number).locator('.name').focus();
    const { bottom, top } = await page.evaluate(() => ({
      bottom: document.activeElement.getBoundingClientRect().bottom,
      top: document.querySelector('.message').getBoundingClientRect().top,
    }));
    assert.ok(bottom <= top, `row ${number}: ${bottom} ${top}`);
  }
});

test('a message lies above a phone’s keyboard', async () => {
  const context = await newContext({ viewport: { width: 390, height: 800 } });
  await context.addInitScript(() => Object.defineProperty(visualViewport, 'height', { get: () => window.seenHeight ?? innerHeight }));
  const page = await open(context);
  await refuse(page, ALL);
  await add(page, 'a');
  await page.locator('.retry').waitFor();
  const bottom = (height) => page.evaluate((seen) => {
    window.seenHeight = seen;
    visualViewport.dispatchEvent(new Event('resize'));
    return document.querySelector('.message').getBoundingClientRect().bottom;
  }, height);
  await until(async () => (await bottom(420)) <= 420, true);
  await until(async () => (await bottom(800)) > 600, true);
});

test('a message quotes the beginning of a long title', async () => {
  const page = await filled(long, {});
  tolerate(/Failed to load resource/);
  await add(page, 'x'.repeat(257));
  await until(async () => (await message(page)).split('”')[0], `Not added: “${'x'.repeat(39)}…`);
  assert.equal(await field(page).inputValue(), 'x'.repeat(257));
  await field(page).fill('short');
  await field(page).press('Enter');
  await until(() => message(page), '');
  await refuse(page, ['PATCH'], refusal);
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), 'Not changed: “word word word word word word word word…”. The server said no (400): No, thank you.');
  await row(page, 2).locator('.toggle').click();
  await until(async () => /“word.*”, “\(no title\)”/.test(await message(page)), true);
});

test('what was refused stays told a while, whatever is done meanwhile, but for the same todo', async () => {
  const page = await filled('a', 'b', 'c');
  const restore = await refuse(page, ['PATCH', 'DELETE'], refusal);
  await row(page, 1).locator('.toggle').click();
  await until(async () => /“a”/.test(await message(page)), true);
  await row(page, 2).locator('.toggle').click();
  await until(async () => /“a”, “b”/.test(await message(page)), true);
  await row(page, 3).locator('.name').focus();
  await page.keyboard.press('Delete');
  await until(() => message(page), 'Not changed: “a”, “b”. The server said no (400): No, thank you. ' +
    'Not deleted: “c”. The server said no (400): No, thank you.');
  await restore();
  await row(page, 1).locator('.toggle').click();
  await until(async () => /^Not changed: “b”/.test(await message(page)), true);
  await page.waitForTimeout(8000);
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), '');
});

test('a message about a todo that was deleted meanwhile has all that was typed', async () => {
  const page = await filled('a', 'b');
  tolerate(/Failed to load resource/);
  await row(page, 1).locator('label').dblclick();
  await row(page, 1).locator('.edit').fill('y'.repeat(100));
  await server.ask('DELETE', await pathOf(0));
  await page.keyboard.press('Enter');
  await until(() => message(page), `Not saved: “${'y'.repeat(100)}”. It was deleted meanwhile.`);
});

/* ---- a start that fails ---- */

test('where tabs can’t talk to each other, the page works', async () => {
  await server.fill('a');
  const context = await newContext();
  await context.addInitScript(() => {
    window.BroadcastChannel = class {
      constructor() {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      }
    };
  });
  const page = await open(context);
  await sees(page, 'a');
  await add(page, 'b');
  await sees(page, 'a', 'b');
  await until(async () => properties(await server.list(), 'title'), [{ title: 'a' }, { title: 'b' }]);
});

// What the page says of itself a moment later.
const later = (page) => page.locator('.message').evaluate((bar) => {
  for (const animation of bar.getAnimations()) animation.finish();
  return getComputedStyle(bar).visibility === 'visible' && getComputedStyle(bar).opacity === '1'
    ? bar.innerText : '';
});

const breaks = {
  ...Object.fromEntries(['app', 'list', 'words'].map((name) => [`${name}.js is missing`, (context) =>
    context.route(`**/static/${name}.js`, (route) => route.fulfill({ status: 404, body: '' }))])),
  'drag.js is no script': (context) => context.route('**/static/drag.js', (route) => route.fulfill(page200())),
  'todos.js ends early': (context) =>
    context.route('**/static/todos.js', (route) => route.fulfill({ contentType: 'text/javascript', body: 'export function' })),
  'the start throws': (context) =>
    context.addInitScript(() => { window.matchMedia = () => { throw new Error('not today'); }; }),
};
for (const [name, breakIt] of Object.entries(breaks))
  test(`a page that can’t start says so: ${name}`, async () => {
    const context = await newContext();
    tolerate(/Failed to load|MIME type|not today|SyntaxError|Unexpected/);
    await breakIt(context);
    const page = await context.newPage();
    await page.goto(server.url);
    await until(async () => /has not started.*Reload it.*页面未能启动/s.test(await later(page)), true);
    await page.getByRole('link', { name: 'Reload it' }).waitFor();
    await page.unrouteAll();
    await context.unrouteAll();
    if (name === 'the start throws') return;
    const read = page.waitForResponse((response) => response.url().endsWith('/todos'));
    await page.getByRole('link', { name: 'Reload it' }).click();
    await read; // before that the page may not hear the key
    await add(page, 'a');
    await sees(page, 'a');
    assert.equal(await later(page), '');
  });

test('a page that starts does not say that it has not', async () => {
  const context = await newContext();
  let release;
  const held = new Promise((done) => { release = done; });
  await context.route('**/static/app.js', async (route) => {
    await held;
    await route.fallback();
  });
  const page = await context.newPage();
  await page.goto(server.url, { waitUntil: 'commit' });
  const visibility = await page.locator('.message').evaluate((bar) => {
    bar.style.animation = 'none';
    bar.getBoundingClientRect();
    bar.style.animation = ''; // from its beginning, however long it took to come here
    const [animation] = bar.getAnimations();
    animation.pause();
    return [0, 3000, 10000].map((time) => {
      animation.currentTime = time;
      return getComputedStyle(bar).visibility;
    });
  });
  assert.deepEqual(visibility, ['hidden', 'hidden', 'visible']);
  release();
  await until(() => later(page), '');
});

test('a page without JavaScript says so', async () => {
  const page = await (await newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(server.url);
  await page.getByText('This page needs JavaScript').waitFor();
  assert.equal(await field(page).isVisible(), false, 'nothing to type into that does nothing');
  await page.getByRole('link', { name: 'the list itself' }).click();
  assert.equal(await page.locator('h1').innerText(), 'GET /todos');
});

test('nothing that is seen is moved when the list comes late', async () => {
  await server.fill(...Array.from({ length: 10 }, (_, index) => `todo ${index}`));
  const context = await newContext({ viewport: { width: 390, height: 844 } });
  await context.addInitScript(() => {
    window.moved = 0;
    new PerformanceObserver((entries) => entries.getEntries().forEach(({ value }) => (window.moved += value)))
      .observe({ type: 'layout-shift', buffered: true });
  });
  const page = await context.newPage();
  let release;
  const held = new Promise((done) => (release = done));
  await page.route('**/todos', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(server.url);
  await page.locator('.loading').waitFor();
  await page.waitForTimeout(1000);
  release();
  await row(page, 10).waitFor();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))));
  assert.ok(await page.evaluate(() => window.moved) < 0.1);
});
