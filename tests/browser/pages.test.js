// The API's pages, how the files are served, accessibility, and the pictures.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  add, isKept, newContext, openPage, properties, refuse, row, sees, Server, server, tolerate, until,
} from './support.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env.TEST_PICTURES;

// As it goes over the wire: nothing is followed, decoded or kept.
function get(path, headers = {}, method = 'GET', port = server.port) {
  return new Promise((done, fail) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
    });
    asked.on('error', fail);
    asked.end();
  });
}

const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const FILES = readdirSync(new URL('../../static', import.meta.url)).filter((name) => name !== 'index.html');

/* ---- the API's pages ---- */

async function openApi(path, options) {
  const context = await newContext(options);
  const page = await context.newPage();
  await page.goto(server.url + path);
  return page;
}

const firstPath = async () => new URL((await server.list())[0].url).pathname;

test('API: the list says what was asked, status, headers and JSON, with links to follow', async () => {
  await server.fill('a', 'b');
  const page = await openApi('/todos');
  assert.equal(await page.title(), '200 OK – GET /todos');
  assert.equal(await page.locator('h1').innerText(), 'GET /todos');
  assert.equal(await page.locator('.status').innerText(), '200 OK');
  assert.match(await page.locator('.headers').innerText(), /^Allow: GET, POST, DELETE, HEAD, OPTIONS$/m);
  assert.match(await page.locator('.headers').innerText(), /^Content-Type: application\/json$/m);
  assert.deepEqual(JSON.parse(await page.locator('.json').innerText()), await server.list());
  await page.locator('.json a').first().click();
  assert.equal(await page.locator('h1').innerText(), `GET ${await firstPath()}`);
  assert.equal(JSON.parse(await page.locator('.json').innerText()).title, 'a');
  await page.getByRole('link', { name: '/todos', exact: true }).click();
  assert.equal(await page.locator('h1').innerText(), 'GET /todos');
  const path = () => page.locator('nav li').allInnerTexts();
  const current = () => page.locator('nav [aria-current=page]').innerText();
  assert.deepEqual([await path(), await current()], [['Todos', 'API', '/todos'], '/todos']);
  await page.getByRole('link', { name: 'API' }).click();
  assert.equal(await page.locator('h1').innerText(), 'GET /?format=api');
  assert.deepEqual([await path(), await current()], [['Todos', 'API'], 'API']);
  await page.locator('.json a').click();
  await page.locator('.json a').last().click();
  assert.deepEqual(await path(), ['Todos', 'API', '/todos', new URL((await server.list())[1].url).pathname]);
  await page.getByRole('link', { name: 'Todos', exact: true }).click();
  await sees(page, 'a', 'b');
});

test('API: without JavaScript, all can be read, and a form can be posted', async () => {
  await server.fill('a');
  const page = await openApi('/todos', { javaScriptEnabled: false });
  assert.equal(JSON.parse(await page.locator('.json').innerText())[0].title, 'a');
  await page.getByLabel('Title').fill('posted & <plain>');
  await page.getByLabel('Completed').check();
  await page.getByLabel('Order').fill('7');
  await page.locator('.fields button').click();
  const posted = (await server.list())[1];
  assert.deepEqual(properties([posted], 'title', 'completed', 'order'),
    [{ title: 'posted & <plain>', completed: true, order: 7 }]);
  assert.equal(await page.title(), `200 OK – GET ${new URL(posted.url).pathname}`);
  await page.reload();
  assert.match(await page.locator('.json').innerText(), /posted & <plain>/);
  assert.equal((await server.list()).length, 2);
});

test('API: without JavaScript, there is no button but the one that works', async () => {
  await server.fill('a');
  const page = await openApi('/todos', { javaScriptEnabled: false });
  const buttons = () => page.locator('button').filter({ visible: true }).allInnerTexts();
  assert.deepEqual(await buttons(), ['POST']);
  await page.locator('.fields button').click();
  assert.equal(await page.getByLabel('Title').evaluate((input) => input.matches(':invalid')), true);
  for (const path of [await firstPath(), '/?format=api']) {
    await page.goto(server.url + path);
    assert.deepEqual(await buttons(), [], path);
  }
  assert.deepEqual(properties(await server.list(), 'title'), [{ title: 'a' }]);
});

test('API: a form’s POST by a browser leads to the todo, all others answer with it', async () => {
  const post = async (type, accept, body) => {
    const response = await fetch(`${server.url}/todos`, {
      method: 'POST', redirect: 'manual', headers: { 'Content-Type': type, Accept: accept }, body,
    });
    return [response.status, /\/todos\/\d+$/.test(response.headers.get('location'))];
  };
  const form = 'application/x-www-form-urlencoded';
  const parts = '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n--b--\r\n';
  assert.deepEqual(await post(form, HTML.Accept, 'title=x'), [303, true]);
  assert.deepEqual(await post('multipart/form-data; boundary=b', HTML.Accept, parts), [303, true]);
  assert.deepEqual(await post(form, 'application/json', 'title=x'), [201, true]);
  assert.deepEqual(await post(form, '*/*', 'title=x'), [201, true]);
  assert.deepEqual(await post('application/json', HTML.Accept, '{"title":"x"}'), [201, true]);
  assert.deepEqual(await post(form, HTML.Accept, 'order=x'), [400, false]);
});

// Answers the page's questions; what they were.
function answerQuestions(page, yes) {
  const questions = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    return yes ? dialog.accept() : dialog.dismiss();
  });
  return questions;
}

test('API: DELETE asks first, and says how much will be gone', async () => {
  await server.fill('a', 'b');
  const page = await openApi('/todos');
  const questions = answerQuestions(page, false);
  await server.ask('POST', '/todos', { title: 'c' });
  await page.getByRole('button', { name: 'DELETE' }).click();
  await until(() => questions, ['Delete all 3 todos?']);
  await page.goto(server.url + (await firstPath()));
  await page.getByRole('button', { name: 'DELETE' }).click();
  await until(() => questions, ['Delete all 3 todos?', 'Delete “a”?']);
  await page.getByRole('button', { name: 'OPTIONS' }).click();
  await until(() => page.locator('.status').innerText(), '200 OK');
  assert.equal((await server.list()).length, 3);
});

test('API: JSON can be posted to the list, which can be emptied', async () => {
  const page = await openApi('/todos');
  assert.deepEqual(JSON.parse(await page.locator('#raw').inputValue()), { title: '', completed: false });
  await page.locator('#raw').fill('{"title":"raw","order":1}');
  await page.getByRole('button', { name: 'POST' }).last().click();
  await until(() => page.locator('.status').innerText(), '201 Created');
  assert.equal(JSON.parse(await page.locator('.json').innerText()).title, 'raw');
  tolerate(/Failed to load resource/);
  await page.locator('#raw').fill('{');
  await page.getByRole('button', { name: 'POST' }).last().click();
  await until(() => page.locator('.status').innerText(), '400 Bad Request');
  assert.match(await page.locator('.json').innerText(), /JSON parse error/);
  answerQuestions(page, true);
  await page.getByRole('button', { name: 'DELETE' }).click();
  await until(() => page.locator('.status').innerText(), '204 No Content');
  assert.deepEqual(await server.list(), []);
});

test('API: an item can be put, patched, described and deleted', async () => {
  await server.fill({ title: 'a', completed: true, order: 3 });
  const page = await openApi(`${await firstPath()}?format=api`);
  assert.equal(await page.getByLabel('Title').inputValue(), 'a');
  assert.equal(await page.getByLabel('Completed').isChecked(), true);
  await page.getByLabel('Title').fill('b');
  await page.getByLabel('Completed').uncheck();
  await page.locator('.fields button').click();
  await until(async () => properties(await server.list(), 'title', 'completed', 'order'),
    [{ title: 'b', completed: false, order: 3 }]);
  await page.locator('#raw').fill('{"order": null}');
  await page.getByRole('button', { name: 'PATCH' }).click();
  await until(async () => properties(await server.list(), 'title', 'order'), [{ title: 'b', order: null }]);
  await page.getByRole('button', { name: 'OPTIONS' }).click();
  await until(async () => JSON.parse(await page.locator('.json').innerText()).name, 'Todo Item Instance');
  answerQuestions(page, true);
  await page.getByRole('button', { name: 'DELETE' }).click();
  await until(() => server.list(), []);
});

test('API: what Allow leaves out is not offered', async () => {
  await server.fill('a');
  const buttons = async (path) => {
    const page = await openApi(path);
    return page.locator('button').allInnerTexts();
  };
  assert.deepEqual(await buttons('/todos'), ['OPTIONS', 'DELETE', 'POST', 'POST']);
  assert.deepEqual(await buttons(await firstPath()), ['OPTIONS', 'DELETE', 'PUT', 'PUT', 'PATCH']);
  assert.deepEqual(await buttons('/?format=api'), ['OPTIONS']);
});

test('API: GET comes back after another answer, and gives JSON, too', async () => {
  await server.fill('a');
  const page = await openApi('/todos');
  await page.getByRole('button', { name: 'OPTIONS' }).click();
  await until(() => page.locator('h1').innerText(), 'OPTIONS /todos');
  assert.equal(await page.title(), '200 OK – OPTIONS /todos');
  await page.getByRole('link', { name: 'GET', exact: true }).click();
  await until(() => page.locator('h1').innerText(), 'GET /todos');
  await page.getByRole('link', { name: 'GET as JSON' }).click();
  assert.deepEqual(JSON.parse(await page.locator('body').innerText()), await server.list());
});

test('API: the actions stand above a long list, and the forms are near', async () => {
  await server.fill(...Array.from({ length: 60 }, (_, index) => `todo ${index}`));
  const page = await openApi('/todos');
  const top = async (selector) => (await page.locator(selector).boundingBox()).y;
  assert.ok((await top('.actions')) < (await top('.answer')));
  assert.ok((await top('.forms')) < 1600, `${await top('.forms')}`);
});

test('API: an error stands beside its field, and after a success the form is fresh', async () => {
  const page = await openApi('/todos');
  tolerate(/Failed to load resource/);
  const title = page.getByLabel('Title');
  await title.fill('x'.repeat(257));
  await page.locator('.fields button').click();
  await until(() => page.locator('.status').innerText(), '400 Bad Request');
  assert.equal(await title.getAttribute('aria-invalid'), 'true');
  const error = page.locator(`#${await title.getAttribute('aria-describedby')}`);
  assert.match(await error.innerText(), /no more than 256 characters/);
  await title.fill('short');
  await page.locator('.fields button').click();
  await until(() => page.locator('.status').innerText(), '201 Created');
  assert.equal(await page.locator('.error').count(), 0);
  assert.equal(await title.inputValue(), '');
  assert.equal(await title.getAttribute('aria-invalid'), null);
  await page.goto(server.url + (await firstPath()));
  answerQuestions(page, true);
  await page.getByRole('button', { name: 'DELETE' }).click();
  await until(() => page.locator('.status').innerText(), '204 No Content');
  assert.equal(await page.locator('.forms').isVisible(), false, 'of a todo that is gone');
});

for (const javaScriptEnabled of [false, true])
  test(`API: what a plain form’s refusal says stands beside its field, and what was typed is kept: ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
    const page = await openApi('/todos', { javaScriptEnabled });
    tolerate(/Failed to load resource/);
    const long = `"<b>&'${'x'.repeat(252)}`;
    await page.getByLabel('Title').fill(long);
    await page.getByLabel('Completed').check();
    await page.getByLabel('Order').fill('7');
    // by itself, as a browser does it until the script has come
    const [answer] = await Promise.all([page.waitForNavigation(),
      javaScriptEnabled ? page.locator('.fields').evaluate((form) => form.submit()) : page.locator('.fields button').click()]);
    assert.equal(answer.status(), 400);
    const title = page.getByLabel('Title');
    assert.equal(await title.inputValue(), long);
    assert.equal(await page.getByLabel('Completed').isChecked(), true);
    assert.equal(await page.getByLabel('Order').inputValue(), '7');
    assert.equal(await title.getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator(`#${await title.getAttribute('aria-describedby')}`).innerText(),
      'Ensure this field has no more than 256 characters.');
    assert.equal(await page.locator('.error').count(), 1);
    assert.equal(await page.locator(':focus').getAttribute('name'), 'title');
    await title.fill('short');
    if (javaScriptEnabled) assert.equal(JSON.parse(await page.locator('#raw').inputValue()).order, 7);
    await page.locator('.fields button').click();
    await until(async () => properties(await server.list(), 'title', 'completed', 'order'),
      [{ title: 'short', completed: true, order: 7 }]);
  });

test('API: a server that is away is told in words', async () => {
  const page = await openApi('/todos');
  await refuse(page, ['OPTIONS']);
  await page.getByRole('button', { name: 'OPTIONS' }).click();
  await until(() => page.locator('.status').innerText(), '– The server can’t be reached.');
});

test('API: in Chinese, by the browser’s language', async () => {
  await server.fill('a');
  const page = await openApi(await firstPath(), { locale: 'zh-CN' });
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  for (const text of ['待办', '字段', '标题', '已完成', '顺序']) assert.equal(await page.getByText(text, { exact: true }).count(), 1, text);
  const questions = answerQuestions(page, false);
  await page.getByRole('button', { name: 'DELETE' }).click();
  await until(() => questions, ['删除“a”？']);
});

test('API: errors are pages too', async () => {
  tolerate(/Failed to load resource/);
  for (const [path, status] of [['/todos/999999999', 404], ['/todos/x?format=api', 404], ['/nope', 404]]) {
    const page = await openApi(path);
    assert.equal(await page.title(), `${status} Not Found – GET ${path}`);
    assert.deepEqual(JSON.parse(await page.locator('.json').innerText()), { detail: 'Not found.' });
  }
});

test('API: all of a client’s text is escaped', async () => {
  const evil = '</pre><script>document.title="pwned"</script>"\\<img src=x onerror=alert(1)>';
  await server.fill(evil, 'http://elsewhere.example/"onmouseover=x', 'javascript:alert(1)');
  const page = await openApi('/todos?a=<script>alert(1)</script>&"\'>');
  assert.match(await page.title(), /^200 OK/);
  assert.equal(JSON.parse(await page.locator('.json').innerText())[0].title, evil);
  assert.equal(await page.locator('main :is(script, img)').count(), 0);
  for (const link of await page.locator('.json a').all())
    assert.match(await link.getAttribute('href'), /\/todos\/\d+$/);
});

/* ---- files ---- */

test('files: types, validators and what a browser may do with them', async () => {
  const types = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml', png: 'image/png', webmanifest: 'application/manifest+json', json: 'application/json' };
  for (const name of FILES) {
    const { status, headers } = await get(`/static/${name}`);
    assert.equal(status, 200, name);
    assert.equal(headers['content-type'], types[name.split('.')[1]], name);
    assert.match(headers.etag, /^"[^"]+"$/, name);
    assert.equal(headers['cache-control'], 'no-cache', name);
    assert.equal(headers.vary, 'Accept-Encoding, Origin', name);
    assert.equal(headers['x-content-type-options'], 'nosniff', name);
  }
  const { headers } = await get('/', HTML);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.match(headers.vary, /Accept, Accept-Encoding/);
  assert.equal(headers['x-frame-options'], 'DENY');
  assert.equal(headers['referrer-policy'], 'same-origin');
  assert.match(headers['content-security-policy'], /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/);
  assert.doesNotMatch(headers['content-security-policy'], /unsafe/);
});

test('files: the root is the page for browsers and JSON for programs', async () => {
  for (const accept of ['*/*', 'application/json', undefined]) {
    const { headers, body } = await get('/', accept ? { Accept: accept } : {});
    assert.equal(headers['content-type'], 'application/json', accept);
    assert.deepEqual(Object.keys(JSON.parse(body)), ['todos']);
  }
  assert.match((await get('/', HTML)).body.toString(), /class="new-todo"/);
});

test('files: compressed where that is accepted, each form with an ETag of its own', async () => {
  const plain = await get('/static/style.css');
  assert.equal(plain.headers['content-encoding'], undefined);
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync };
  const etags = new Set([plain.headers.etag]);
  for (const [accepted, wanted] of [
    ['gzip, deflate, br', 'br'], ['gzip', 'gzip'], ['br;q=0, gzip', 'gzip'], ['gzip;q=0.5, br;q=0.2', 'gzip'],
    ['*', 'br'], ['GZIP', 'gzip'], ['identity', undefined], ['br;q=0, gzip;q=0', undefined], ['identity, br;q=0.5', undefined], ['', undefined], ['zstd', undefined],
  ]) {
    const { headers, body } = await get('/static/style.css', { 'Accept-Encoding': accepted });
    assert.equal(headers['content-encoding'], wanted, accepted);
    assert.deepEqual(wanted ? unpack[wanted](body) : body, plain.body, accepted);
    assert.ok(body.length <= plain.body.length);
    etags.add(headers.etag);
  }
  assert.equal(etags.size, 3);
});

test('files: 304 for who has them, HEAD, and no other method', async () => {
  for (const [path, headers] of [['/static/app.js', {}], ['/static/app.js', { 'Accept-Encoding': 'br' }], ['/', HTML]]) {
    const { etag } = (await get(path, headers)).headers;
    for (const known of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
      const answer = await get(path, { ...headers, 'If-None-Match': known });
      assert.equal(answer.status, 304, known);
      assert.equal(answer.headers.etag, etag);
      assert.equal(Number(answer.headers['content-length']), (await get(path, headers)).body.length);
      assert.equal(answer.body.length, 0);
    }
    assert.equal((await get(path, { ...headers, 'If-None-Match': '"x"' })).status, 200);
    const head = await get(path, headers, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.equal(Number(head.headers['content-length']), (await get(path, headers)).body.length);
  }
  const posted = await get('/static/app.js', {}, 'POST');
  assert.equal(posted.status, 405);
  assert.equal(posted.headers.allow, 'GET, HEAD');
});

// A first visit as it goes over the wire where there is no brotli, which is over plain http: each body
// until nothing more is asked for, what the service worker keeps for later included, and the icons,
// which this browser has no place to show and so doesn't ask for.
test('files: a first visit weighs less than 30 kB', async (context) => {
  const weights = new Map(); // path -> bytes
  const weigh = async (path, headers, method) => {
    const answer = await get(path, { ...headers, 'accept-encoding': 'gzip' }, method);
    weights.set(path, (weights.get(path) ?? 0) + answer.body.length);
    return answer;
  };
  const between = createServer(async ({ url, headers, method }, response) => {
    const answer = await weigh(url, headers, method);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise((done) => between.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${between.address().port}/`;
  tolerate(new RegExp(address));
  try {
    const page = await (await newContext({ serviceWorkers: 'allow' })).newPage();
    await page.goto(address);
    await page.locator('.nothing').waitFor();
    await isKept(page);
    await page.waitForLoadState('networkidle');
    for (const path of ['/static/favicon.svg', '/static/app.webmanifest', '/static/icon.png'])
      if (!weights.has(path)) await weigh(path, {});
  } finally {
    between.closeAllConnections();
    between.close();
  }
  const later = (weights.get('/static/sw.js') ?? 0) + (weights.get('/static/help.js') ?? 0);
  const all = [...weights.values()].reduce((sum, bytes) => sum + bytes, 0);
  context.diagnostic(`first visit: ${all} bytes, ${later} of them of and for the service worker`);
  for (const path of ['/', '/todos', '/static/app.js', '/static/style.css', '/static/sw.js', '/static/help.js'])
    assert.ok(weights.has(path), path);
  assert.ok(all < 30000, JSON.stringify([...weights]));
});

function makeRoot() {
  const folder = mkdtempSync(join(tmpdir(), 'static-'));
  const root = join(folder, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>mine</title>');
  writeFileSync(join(root, 'mine.css'), 'a{}');
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(root, 'sub', 'file.txt'), 'secret');
  symlinkSync('../secret.txt', join(root, 'link.txt'));
  symlinkSync('..', join(root, 'up'));
  return { folder, root };
}

test('files: STATIC_ROOT serves a folder, and there is no way out of it', async () => {
  const { folder, root } = makeRoot();
  const other = new Server({ STATIC_ROOT: root, DATABASE: 'sqlite', MYSQL_HOST: '' });
  await other.start();
  try {
    const ask = (path, headers) => get(path, headers, 'GET', other.port);
    const first = await ask('/static/mine.css');
    assert.equal(first.body.toString(), 'a{}');
    assert.equal((await ask('/static/mine.css', { 'If-None-Match': first.headers.etag })).status, 304);
    writeFileSync(join(root, 'mine.css'), 'b{color:red}');
    assert.equal((await ask('/static/mine.css', { 'If-None-Match': first.headers.etag })).body.toString(), 'b{color:red}');
    assert.match((await ask('/', HTML)).body.toString(), /mine/);
    assert.equal((await ask('/static/style.css')).status, 404, 'nothing embedded shows through');
    for (const path of [
      '/static/../secret.txt', '/static/..%2fsecret.txt', '/static/%2e%2e/secret.txt', '/static/%2e%2e%2fsecret.txt',
      '/static/..%5csecret.txt', '/static/....//secret.txt', '/static//etc/passwd', '/static/%2fetc%2fpasswd',
      '/static/%252e%252e%252fsecret.txt', '/static/link.txt', '/static/up/secret.txt', '/static/up', '/static/sub',
      '/static/sub/', '/static/sub/../../secret.txt', '/static/.hidden', '/static/', '/static/.',
      '/static/mine.css/', '/static/mine.css%00.txt', '/static/%c0%ae%c0%ae/secret.txt', '/static/mine%2ecss%2f..%2f..%2fsecret.txt',
    ]) {
      const { status, body } = await ask(path);
      assert.ok(status === 404 || status === 400, `${path} ${status}`);
      assert.doesNotMatch(body.toString(), /secret/, path);
    }
  } finally {
    await other.release();
    rmSync(folder, { recursive: true });
  }
});

/* ---- accessibility, and looks ---- */

const looks = [390, 1280].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));

async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
}

async function take(page, name) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

for (const { width, colorScheme } of looks)
  test(`axe finds nothing at ${width} pixels, ${colorScheme}`, async () => {
    const options = { viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' };
    const empty = await openPage(options);
    assert.deepEqual(await violations(empty), [], 'no todos');
    await server.fill({ title: 'Water the plants on the balcony', completed: true },
      'Book train tickets to Lisbon', 'Call the dentist about Thursday', '买牛奶和面包', {});
    const page = await openPage(options);
    await row(page, 5).waitFor();
    assert.deepEqual(await violations(page), [], 'todos');
    await take(page, `todos-${width}-${colorScheme}`);
    await refuse(page, ['POST']);
    await add(page, 'Buy a lamp');
    await page.locator('.retry').waitFor();
    await row(page, 2).locator('label').dblclick();
    assert.deepEqual(await violations(page), [], 'a message, and an open edit');
    await take(page, `message-${width}-${colorScheme}`);
    await page.goto(`${server.url}/todos`);
    assert.deepEqual(await violations(page), [], 'the list’s API page');
    await page.goto(server.url + await firstPath());
    assert.deepEqual(await violations(page), [], 'an item’s API page');
    await take(page, `api-${width}-${colorScheme}`);
    await page.goto(`${server.url}/todos/0`);
    assert.deepEqual(await violations(page), [], 'a 404 page');
  });

// How many colours there are in a part of the page.
async function coloursOf(page, clip) {
  const picture = (await page.screenshot({ clip })).toString('base64');
  return page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
    return [...new Set(pixels)].map((pixel) => (pixel >>> 0).toString(16));
  }, picture);
}

// The middle of an element, or of what it has at an edge: `size` pixels, `left` ones from its left.
async function part(locator, size, left) {
  const box = await locator.boundingBox();
  const x = left === undefined ? box.x + (box.width - size) / 2 : box.x + left;
  return { x: Math.round(x), y: Math.round(box.y + (box.height - size) / 2), width: size, height: size };
}

for (const colorScheme of ['light', 'dark'])
  test(`forced colours leave all signs to be seen: ${colorScheme}`, async () => {
    await server.fill({ title: 'a', completed: true }, 'b');
    const page = await openPage({ viewport: { width: 390, height: 800 }, colorScheme, hasTouch: true, isMobile: true, reducedMotion: 'reduce' });
    await page.emulateMedia({ forcedColors: 'active', colorScheme, reducedMotion: 'reduce' });
    await row(page, 2).waitFor();
    const signs = {
      'the plus': await part(page.locator('.entry'), 20, 20),
      '×': await part(row(page, 2).locator('.destroy'), 16),
      'the handle': await part(row(page, 2).locator('.handle'), 14),
      'the tick': await part(row(page, 1).locator('.toggle'), 14),
    };
    for (const [name, clip] of Object.entries(signs))
      assert.ok((await coloursOf(page, clip)).length > 1, name);
    assert.equal((await coloursOf(page, await part(row(page, 2).locator('.toggle'), 10))).length, 1, 'no tick');
    const filter = async (name) => coloursOf(page, await part(page.getByRole('link', { name }), 6, 4));
    assert.notDeepEqual(await filter('All'), await filter('Active'), 'the selected filter');
    await page.getByRole('link', { name: 'Active' }).click();
    await page.locator('.filters .selected', { hasText: 'Active' }).waitFor();
    assert.notDeepEqual(await filter('All'), await filter('Active'), 'the selected filter');
    await refuse(page, ['POST']);
    await add(page, 'c');
    await page.locator('.retry').waitFor();
    const { x, y } = await page.locator('.message').boundingBox();
    assert.ok((await coloursOf(page, { x: Math.round(x) + 20, y: Math.round(y) - 4, width: 8, height: 8 })).length > 1, 'the message’s edge');
    await take(page, `forced-390-${colorScheme}`);
  });

for (const width of [320, 390, 768, 1280, 2560])
  test(`nothing sticks out at ${width} pixels`, async () => {
    await server.fill('A long title, '.repeat(12), `${'x'.repeat(120)}`, { title: 'b', completed: true });
    const page = await openPage({ viewport: { width, height: 700 } });
    await row(page, 3).waitFor();
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits());
    await page.goto(`${server.url}/todos`);
    assert.ok(await fits());
  });

test('basics: title, language, description, theme colours, icon, a viewport that can be zoomed', async () => {
  const page = await openPage();
  const basics = await page.evaluate(() => ({
    title: document.title,
    lang: document.documentElement.lang,
    description: document.querySelector('meta[name=description]').content.length > 20,
    colours: document.querySelectorAll('meta[name=theme-color]').length,
    viewport: document.querySelector('meta[name=viewport]').content,
    icon: new URL(document.querySelector('link[rel=icon]').href).pathname,
  }));
  const { body } = await get('/', HTML);
  basics.inline = body.toString().match(/<style|\sstyle=|<script>/g);
  assert.deepEqual(basics, {
    title: 'Todos', lang: 'en', description: true, colours: 2,
    viewport: 'width=device-width, initial-scale=1', icon: '/static/favicon.svg', inline: null,
  });
});

test('the README’s picture', async () => {
  await server.fill({ title: 'Water the plants on the balcony', completed: true },
    'Book train tickets to Lisbon', 'Call the dentist about Thursday', 'Read chapter seven, and take notes this time');
  const page = await openPage({ viewport: { width: 760, height: 620 }, reducedMotion: 'reduce' });
  await row(page, 4).waitFor();
  await row(page, 2).hover();
  if (process.env.TEST_SCREENSHOT)
    await page.screenshot({ path: resolve(process.env.TEST_SCREENSHOT), animations: 'disabled' });
});
