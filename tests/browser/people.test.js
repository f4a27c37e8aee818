// The page for everybody: by keyboard and finger, in any script, large, on paper; and how it feels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add, field, filled, focused, isKept, message, newContext, open, openPage, refuse, row, sees, server,
  tolerate, until,
} from './support.js';

const many = (count) => Array.from({ length: count }, (_, index) => `todo ${index + 1}`);
const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const spoken = (page) => page.locator('.spoken').textContent();
const style = (locator, property, pseudo) =>
  locator.evaluate((element, [name, part]) => getComputedStyle(element, part)[name], [property, pseudo]);

/* ---- keyboard and screen reader ---- */

test('the Tab key stops once in a row; arrows go to its other controls, as one sees them', async () => {
  const page = await filled('a', 'read http://a.example/x today', 'c');
  const lefts = await row(page, 1).locator('.view :is(.toggle, .name, .handle, .destroy)').evaluateAll((controls) =>
    controls.map((control) => control.getBoundingClientRect().left));
  assert.deepEqual(lefts, [...lefts].sort((a, b) => a - b));
  await field(page).focus();
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'toggle-all');
  const rowOfFocus = () => page.evaluate(() => [...document.querySelectorAll('.todo-list > li')].findIndex((item) => item.contains(document.activeElement)) + 1);
  for (const number of [1, 2, 3]) {
    await page.keyboard.press('Tab');
    assert.equal(await rowOfFocus(), number);
    assert.equal(await focused(page), 'toggle');
  }
  await page.keyboard.press('Tab');
  assert.equal(await rowOfFocus(), 0);
  await page.keyboard.press('Shift+Tab');
  for (const name of ['name', 'handle', 'destroy', 'destroy']) {
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(page), name);
  }
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focused(page), 'destroy', 'a row remembers where one was');
  await page.keyboard.press('ArrowUp');
  assert.deepEqual([await rowOfFocus(), await focused(page)], [2, 'destroy']);
  for (const name of ['handle', 'pen', 'link', 'toggle']) {
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(page), name);
  }
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(page), 'new-todo');
  await page.keyboard.press('ArrowDown');
  assert.equal(await rowOfFocus(), 1);
});

test('adding, deleting, undoing and filtering are told', async () => {
  const page = await filled('a');
  await add(page, 'b');
  await until(() => spoken(page), 'Added: “b”.');
  await row(page, 1).locator('.name').focus();
  await page.keyboard.press('Delete');
  await until(() => spoken(page), 'Deleted: “a”.');
  await page.getByRole('link', { name: 'Completed' }).click();
  await until(() => spoken(page), '0 todos are shown');
  await page.getByRole('link', { name: 'Active' }).click();
  await until(() => spoken(page), '1 todo is shown');
});

test('single letters are shortcuts, but not in a field, and can be switched off', async () => {
  const page = await filled('a');
  await page.keyboard.type('n?u');
  assert.equal(await field(page).inputValue(), 'n?u');
  await row(page, 1).locator('.toggle').focus();
  await page.keyboard.press('n');
  assert.equal(await focused(page), 'new-todo');
  await row(page, 1).locator('.toggle').focus();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await dialog.waitFor();
  for (const key of ['n', '/', 'u', '?', 'F2']) assert.ok((await dialog.locator('kbd').allInnerTexts()).includes(key), key);
  await dialog.getByLabel('Single letters are shortcuts').uncheck();
  await page.keyboard.press('Escape');
  assert.equal(await dialog.isVisible(), false);
  assert.equal(await focused(page), 'toggle', 'the focus comes back');
  await page.keyboard.press('n');
  await page.keyboard.press('?');
  assert.equal(await focused(page), 'toggle');
  await page.reload();
  await row(page, 1).locator('.toggle').focus();
  await page.keyboard.press('?');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.getByRole('button', { name: 'Keyboard' }).click();
  await dialog.getByLabel('Single letters are shortcuts').check();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await row(page, 1).locator('.toggle').focus();
  await page.keyboard.press('?');
  await dialog.waitFor();
});

/* ---- scripts ---- */

test('right-to-left titles are set from the right, in rows, editor, field and messages', async () => {
  const page = await filled('שלום, מה שלומך?', 'hello?');
  assert.equal(await style(row(page, 1).locator('.name'), 'direction'), 'rtl');
  assert.equal(await style(row(page, 2).locator('.name'), 'direction'), 'ltr');
  await row(page, 1).locator('label').dblclick();
  assert.equal(await style(row(page, 1).locator('.edit'), 'direction'), 'rtl');
  await page.keyboard.press('Escape');
  await field(page).fill('שלום?');
  assert.equal(await style(field(page), 'direction'), 'rtl');
  await field(page).fill('');
  await refuse(page, ['PATCH'], { status: 400, contentType: 'application/json', body: '{"title":["No."]}' });
  await row(page, 1).locator('.toggle').click();
  await until(() => message(page), 'Not changed: “שלום, מה שלומך?”. The server said no (400): No.');
  assert.equal(await page.locator('.message bdi').textContent(), '“שלום, מה שלומך?”');
});

/* ---- sizes, colours, paper ---- */

test('phone: what is there to touch is 44 pixels large', async () => {
  await server.fill('a', { title: 'b', completed: true }, 'see http://a.example/');
  const page = await openPage(phone);
  await row(page, 3).waitFor();
  await row(page, 1).locator('.destroy').tap();
  await page.locator('.undo').waitFor();
  const small = await page.evaluate(() => {
    const found = [];
    for (const element of document.querySelectorAll('.toggle, .toggle-all, .pen, .handle, .destroy, .filters a, .clear-completed, .new-todo, .undo')) {
      if (element.hidden) continue;
      const { left, top, width, height } = element.getBoundingClientRect();
      const isHit = (dx, dy) => {
        const hit = document.elementFromPoint(left + width / 2 + dx, top + height / 2 + dy);
        return hit === element || element.contains(hit);
      };
      // the corners but for a pixel, and for what a round shape leaves out
      if (![[-21, 0], [21, 0], [0, -21], [0, 21]].every(([dx, dy]) => isHit(dx, dy))) found.push(element.className || element.textContent);
    }
    return found;
  });
  assert.deepEqual(small, []);
  assert.ok((await page.locator('.info a').boundingBox()).height >= 44);
});

function luminance([r, g, b]) {
  const part = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
}

function contrast(one, other) {
  const [a, b] = [one, other].map((colour) => luminance(colour.match(/\d+/g).slice(0, 3).map(Number)));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

for (const colorScheme of ['light', 'dark'])
  test(`edges of what can be typed into have a contrast of 3 : 1, ${colorScheme}`, async () => {
    await server.fill(...many(30));
    const page = await openPage({ colorScheme });
    await row(page, 30).waitFor();
    await row(page, 1).locator('.toggle').focus();
    const ground = await style(page.locator('body'), 'backgroundColor');
    const sheet = await style(field(page), 'backgroundColor');
    for (const [locator, around] of [[field(page), ground], [field(page), sheet], [page.locator('.find'), sheet], [row(page, 1).locator('.toggle'), sheet]])
      assert.ok(contrast(await style(locator, 'borderTopColor'), around) >= 3, `${await style(locator, 'borderTopColor')} on ${around}`);
  });

test('the chosen filter has a ring, and choosing moves nothing', async () => {
  const page = await filled('a', { title: 'b', completed: true });
  const lefts = () => page.locator('.filters a').evaluateAll((links) => links.map((link) => link.getBoundingClientRect().left));
  const before = await lefts();
  await page.getByRole('link', { name: 'Active' }).click();
  await until(() => page.locator('.selected').innerText(), 'Active');
  assert.deepEqual(await lefts(), before);
  assert.ok(contrast(await style(page.locator('.selected'), 'borderTopColor'), await style(page.locator('body'), 'backgroundColor')) >= 3);
  assert.equal(await style(page.locator('.filters a').first(), 'borderTopColor'), 'rgba(0, 0, 0, 0)');
});

test('text at 200 %, 360 pixels wide: titles keep room, nothing sticks out', async () => {
  await server.fill('Ring Ada about Saturday', 'b');
  const page = await openPage(phone);
  await row(page, 2).waitFor();
  await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
  const { width } = await row(page, 1).locator('.title').boundingBox();
  assert.ok(width >= 150, `${width}`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

test('on paper: the list with its ticks, and nothing to press', async () => {
  const page = await filled('a', { title: 'b', completed: true });
  await page.emulateMedia({ media: 'print' });
  for (const part of ['.new-todo', '.toggle-all', '.filters', '.clear-completed', '.info', '.bars', '.handle', '.destroy'])
    assert.equal(await page.locator(part).first().isVisible(), false, part);
  assert.ok(await row(page, 2).locator('.name').isVisible());
  assert.equal(await style(row(page, 2).locator('.toggle'), 'printColorAdjust'), 'exact');
});

/* ---- feel ---- */

test('an editor shows all that it holds, and grows', async () => {
  await server.fill('short', 'A title of many words. '.repeat(10).trim());
  const page = await openPage(phone);
  await row(page, 2).locator('label').tap();
  const edit = row(page, 2).locator('.edit');
  const fits = () => edit.evaluate((element) => element.scrollHeight <= element.clientHeight && element.scrollWidth <= element.clientWidth);
  assert.ok(await fits());
  await page.keyboard.press('Enter');
  await row(page, 1).locator('label').tap();
  await row(page, 1).locator('.edit').pressSequentially(' and then a lot of other words that make it longer');
  assert.ok(await row(page, 1).locator('.edit').evaluate((element) => element.scrollHeight <= element.clientHeight));
  assert.ok((await row(page, 1).boundingBox()).height > 60);
});

test('a title can be selected with the mouse, and the row stays', async () => {
  const page = await filled('select me', 'b');
  const { x, y, width, height } = await row(page, 1).locator('.name').boundingBox();
  await page.mouse.move(x + 1, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width, y + height / 2 + 30, { steps: 5 });
  await page.mouse.move(x + width, y + height / 2, { steps: 5 });
  await page.mouse.up();
  assert.equal(await page.evaluate(() => String(getSelection())), 'select me');
  await sees(page, 'select me', 'b');
});

test('the handle is there at rest', async () => {
  const page = await filled('a');
  await page.mouse.move(5, 5);
  assert.ok(Number(await style(row(page, 1).locator('.handle'), 'opacity')) >= 0.4);
});

async function lift(page, number) {
  const { x, y, width, height } = await row(page, number).locator('.handle').boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  return { x: x + width / 2, y: y + height / 2 };
}

test('a row held at the window’s edge scrolls the page along, without jiggling', async () => {
  const page = await filled(...many(60));
  const { x } = await lift(page, 1);
  await page.mouse.move(x, 790, { steps: 3 });
  const scrolled = () => page.evaluate(() => scrollY);
  const before = await scrolled();
  await until(async () => (await scrolled()) > before + 400, true);
  await page.mouse.up();
  await until(async () => (await row(page, 1).locator('.name').innerText()), 'todo 2');
});

test('a wheel’s turn takes the dragged row along', async () => {
  const page = await filled(...many(60));
  const { x } = await lift(page, 2);
  await page.mouse.move(x, 400, { steps: 3 });
  await page.mouse.wheel(0, 600);
  await until(() => page.evaluate(() => scrollY > 500), true);
  const middle = () => page.locator('.dragging').evaluate((item) => {
    const { top, height } = item.getBoundingClientRect();
    return Math.abs(top + height / 2 - 400) < 30;
  });
  await until(middle, true);
  await page.mouse.up();
});

for (const [name, options] of [['desktop', {}], ['phone', phone]])
  test(`field and footer stay in sight, and a new todo comes into view: ${name}`, async () => {
    await server.fill(...many(60));
    const page = await openPage(options);
    await row(page, 60).waitFor();
    await page.evaluate(() => scrollTo(0, 1500));
    const isSeen = (selector) => page.locator(selector).evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      return top >= 0 && top + height <= innerHeight && (hit === element || element.contains(hit));
    });
    await until(() => isSeen('.new-todo'), true);
    for (const selector of ['.todo-count', '.filters']) assert.ok(await isSeen(selector), selector);
    await add(page, 'the new one');
    await until(() => isSeen('.todo-list > li:last-child .name'), true);
  });

test('a todo that its filter hides is told, and can be shown', async () => {
  const page = await filled({ title: 'a', completed: true });
  await page.getByRole('link', { name: 'Completed' }).click();
  await add(page, 'b');
  await until(() => page.locator('.offer-text').textContent(), 'Added: “b”.');
  await page.getByRole('button', { name: 'Show' }).click();
  await sees(page, 'a', 'b');
});

test('“mark all” is the card’s first row', async () => {
  const page = await filled('a');
  const card = await page.locator('.main').boundingBox();
  const all = await page.locator('.toggle-all').boundingBox();
  const toggle = await row(page, 1).locator('.toggle').boundingBox();
  assert.ok(all.y > card.y && all.y + all.height < toggle.y);
  assert.equal(all.x, toggle.x);
  assert.equal(await style(page.locator('.main'), 'backgroundColor'), await style(field(page), 'backgroundColor'));
});

test('an empty list and an empty filter say so', async () => {
  const page = await openPage();
  const nothing = () => page.locator('.nothing:visible').allInnerTexts();
  await until(nothing, ['Nothing to do yet. Type a todo above and press Enter.']);
  await add(page, 'a', 'b');
  await sees(page, 'a', 'b');
  await until(nothing, []);
  await page.getByRole('link', { name: 'Completed' }).click();
  await until(nothing, ['Nothing is done yet.']);
  await page.locator('.toggle-all').click();
  await page.getByRole('link', { name: 'Active' }).click();
  await until(nothing, ['All 2 are done.']);
});

test('the hint speaks of what the device has', async () => {
  await server.fill('a');
  const desktop = await openPage();
  const hint = (page) => page.locator('.info').innerText();
  assert.match(await hint(desktop), /Double-click/);
  assert.match(await hint(desktop), /Keyboard/);
  const mobile = await openPage(phone);
  assert.match(await hint(mobile), /^Tap/);
  assert.doesNotMatch(await hint(mobile), /Double-click|Keyboard/);
});

/* ---- lines, links, finding ---- */

async function paste(page, text) {
  await field(page).evaluate((element, pasted) => {
    const data = new DataTransfer();
    data.setData('text/plain', pasted);
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

async function copied(page) {
  return page.evaluate(() => {
    const data = new DataTransfer();
    document.body.dispatchEvent(new ClipboardEvent('copy', { clipboardData: data, bubbles: true, cancelable: true }));
    return data.getData('text/plain');
  });
}

test('pasted lines become todos, with their bullets and ticks understood, and one undo', async () => {
  const page = await filled('a');
  await paste(page, 'milk\r\n  - bread\n* eggs\n\n- [ ] flour\n- [x] salt\n1. one\n• two\n-minus\n[x] done\n');
  const wanted = ['a', 'milk', 'bread', 'eggs', 'flour', 'salt', 'one', 'two', '-minus', 'done'];
  await sees(page, ...wanted);
  await until(async () => (await server.list()).map(({ title, completed }) => (completed ? `${title}!` : title)),
    ['a', 'milk', 'bread', 'eggs', 'flour', 'salt!', 'one', 'two', '-minus', 'done!']);
  await until(() => page.locator('.offer-text').textContent(), 'Added 9 todos.');
  await page.getByRole('button', { name: 'Undo' }).click();
  await sees(page, 'a');
  await until(async () => (await server.list()).length, 1);
});

test('one pasted line is text, and a line that is too long is told before anything is added', async () => {
  const page = await openPage();
  await paste(page, 'one line\n');
  await paste(page, `short\n${'x'.repeat(257)}`);
  await until(() => page.locator('.offer-text').textContent(), `Not added: “${'x'.repeat(39)}…” is longer than 256 characters.`);
  assert.deepEqual(await server.list(), []);
});

test('selected todos are copied as Markdown, which can be pasted again; a part of one is text', async () => {
  const page = await filled('a', { title: 'b', completed: true }, 'c');
  await page.evaluate(() => getSelection().selectAllChildren(document.body));
  const text = await copied(page);
  assert.equal(text, '- [ ] a\n- [x] b\n- [ ] c\n');
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector('.name')));
  assert.equal(await copied(page), '', 'left to the browser');
  await server.fill();
  await page.reload();
  await paste(page, text);
  await sees(page, 'a', 'b', 'c');
  assert.equal(await row(page, 2).locator('.toggle').isChecked(), true);
});

test('links in titles open, and the todo is edited by a button beside it', async () => {
  const page = await filled('see http://a.example/x?y=1&z=(2), then https://b.example/.', 'no javascript:alert(1) ftp://x');
  const links = await row(page, 1).locator('a').evaluateAll((all) => all.map(({ href, target, rel }) => [href, target, rel]));
  assert.deepEqual(links, [['http://a.example/x?y=1&z=(2', '_blank', 'noreferrer'], ['https://b.example/', '_blank', 'noreferrer']]);
  assert.equal(await row(page, 2).locator('a').count(), 0);
  await sees(page, 'see http://a.example/x?y=1&z=(2), then https://b.example/.', 'no javascript:alert(1) ftp://x');
  await page.getByRole('button', { name: /^Edit: see/ }).click();
  assert.equal(await row(page, 1).locator('.edit').inputValue(), 'see http://a.example/x?y=1&z=(2), then https://b.example/.');
  await row(page, 1).locator('.edit').fill('none');
  await page.keyboard.press('Enter');
  await until(() => row(page, 1).locator('a').count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Edit: none' }).count(), 1);
});

test('from 30 todos on, / finds by what is typed', async () => {
  await server.fill(...many(29));
  const page = await openPage();
  await row(page, 29).waitFor();
  assert.equal(await page.locator('.find').isVisible(), false);
  await add(page, 'Water the FERNS');
  await page.locator('.find').waitFor();
  await row(page, 1).locator('.toggle').focus();
  await page.keyboard.press('/');
  assert.equal(await focused(page), 'find');
  await page.keyboard.type('ferns');
  await sees(page, 'Water the FERNS');
  await until(() => spoken(page), '1 todo is shown');
  await page.keyboard.type('x');
  await until(() => page.locator('.nothing').innerText(), 'Nothing has these words in it.');
  await page.keyboard.press('Escape');
  await until(() => page.locator('.todo-list > li').count(), 30);
});

test('the title tells how many are open', async () => {
  const page = await filled('a', 'b', { title: 'c', completed: true });
  await until(() => page.title(), '(2) Todos');
  await page.locator('.toggle-all').click();
  await until(() => page.title(), 'Todos');
});

/* ---- bars ---- */

// What can be pressed and is covered wherever the page is scrolled to; and what stays in sight and is
// covered anywhere by something else that does. (The field may lie over a footer that goes up with its list.)
const covered = (page) => page.evaluate(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame(); // what a change of sizes brings about comes at the end of one
  await frame();
  const isRoomy = document.documentElement.classList.contains('roomy');
  const middle = new Set([...document.querySelectorAll('.todo-list > li')].slice(4, -4)); // is like the rest
  const wanted = new Set([...document.querySelectorAll('input, button, .name, a')].filter((element) =>
    element.checkVisibility({ opacityProperty: true }) && !middle.has(element.closest('li'))));
  const covers = new Set();
  const nameOf = (element) => element.ariaLabel || element.textContent || element.className;
  const partOf = (element) => element?.closest('.entry, .footer, .bars');
  const isFree = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) return false;
    const inset = Math.min(right - left, bottom - top) / 4;
    const points = [[(left + right) / 2, top + inset], [(left + right) / 2, bottom - inset],
      [left + inset, (top + bottom) / 2], [right - inset, (top + bottom) / 2]];
    return points.every(([x, y]) => {
      const hit = document.elementFromPoint(x, y);
      const [part, other] = [partOf(element), partOf(hit)];
      if (isRoomy && part && other && part !== other && !(part.matches('.footer') && other.matches('.entry')))
        covers.add(`${nameOf(element)} under ${other.className}`);
      return element.contains(hit);
    });
  };
  const end = document.documentElement.scrollHeight - innerHeight;
  const step = innerHeight / 10;
  for (let y = end; y > -step; y -= step) {
    if (y > 2 * innerHeight && y < end - 4 * innerHeight) continue;
    scrollTo(0, y);
    await frame();
    for (const element of document.querySelectorAll('.entry input, .footer a, .footer button, .bars button')) isFree(element);
    for (const element of wanted) if (isFree(element)) wanted.delete(element);
  }
  return { covers: [...covers], hidden: [...wanted].map(nameOf) };
});

for (const [width, height] of [[320, 568], [360, 740], [375, 667], [768, 1024], [1280, 800]])
  test(`what can be pressed lies under no bar, ${width} pixels wide`, async () => {
    const isTouch = width < 1000;
    const page = await openPage({ viewport: { width, height }, hasTouch: isTouch, isMobile: isTouch, reducedMotion: 'reduce' });
    const setSize = (size) => page.evaluate((wanted) => { document.documentElement.style.fontSize = wanted; }, size);
    for (const count of [0, 3, 8, 15, 40]) {
      await server.fill({ title: 'done', completed: true }, ...many(count));
      await page.reload();
      for (const size of ['100%', '200%']) {
        await setSize(size);
        await until(() => page.locator('.todo-list > li').count(), count + 1);
        await page.locator('.destroy').last().evaluate((button) => button.click());
        await page.locator('.undo').waitFor();
        await until(() => page.locator('.todo-list > li').count(), count);
        assert.deepEqual(await covered(page), { covers: [], hidden: [] }, `${count} todos, ${size}`);
        await page.locator('.undo').click();
        await until(async () => (await server.list()).length, count + 1);
      }
    }
    await setSize('100%');
    await refuse(page, ['DELETE']);
    await page.locator('.destroy').nth(9).evaluate((button) => button.click());
    await page.locator('.retry').waitFor();
    assert.deepEqual((await covered(page)).covers, [], 'both bars, of which one goes by itself');
  });

/* ---- without a network ---- */

test('installed, the page opens without a network; what it shows is never an old answer of the API', async () => {
  await server.fill('a');
  const context = await newContext({ serviceWorkers: 'allow' });
  const page = await open(context);
  await sees(page, 'a');
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json());
  assert.deepEqual([manifest.start_url, manifest.scope, manifest.display], ['/', '/', 'standalone']);
  for (const { src } of manifest.icons) assert.equal((await page.request.get(server.url + src)).status(), 200, src);
  await isKept(page);
  const asked = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname));
  const kept = await page.evaluate(async () => {
    const [name, ...others] = await caches.keys();
    const requests = await (await caches.open(name)).keys();
    return { name, others, paths: requests.map(({ url }) => new URL(url).pathname) };
  });
  if (!process.env.STATIC_ROOT) assert.match(kept.name, /^page [0-9a-f]{24}$/);
  assert.deepEqual(kept.others, []);
  for (const path of asked.filter((name) => /\.(js|css)$/.test(name) && !name.endsWith('/sw.js')))
    assert.ok(kept.paths.includes(path), `${path} is kept`);
  assert.ok(!kept.paths.some((path) => path.startsWith('/todos')));
  await server.fill('b');
  await page.reload();
  await sees(page, 'b');
  await context.setOffline(true);
  tolerate(/Failed to load resource|ERR_INTERNET_DISCONNECTED/);
  await page.reload();
  await until(() => message(page), 'The list could not be read. The server can’t be reached.');
  await add(page, 'written in a tunnel');
  await until(() => page.locator('.todo-list > li').count(), 1);
  await context.setOffline(false);
  await sees(page, 'b', 'written in a tunnel');
  await until(async () => (await server.list()).length, 2);
});
