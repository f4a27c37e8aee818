// Keeps the page itself, none of its todos, so that it opens without a network. What it has
// kept is used only when the server can't be reached.

const BUILD = 'unbuilt'; // the build writes a sum of all files here: other files, another cache
const CACHE = `page ${BUILD}`;
const FILES = ['app', 'bars', 'drag', 'editor', 'help', 'keys', 'lines', 'list', 'live', 'order', 'outbox', 'press', 'row', 'server', 'todos', 'words'];
if (/^zh\b/i.test(navigator.language)) FILES.push('words-zh');
const KEPT = ['/', '/static/style.css', '/static/favicon.svg', ...FILES.map((name) => `/static/${name}.js`)];

// All of one build, or none.
async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(KEPT.map((path) => new Request(path, { cache: 'no-cache', headers: { Accept: 'text/html' } })));
  skipWaiting();
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
}

const isAway = ({ status }) => status === 502 || status === 503 || status === 504;

async function answer(request, path) {
  const given = await fetch(request).catch(() => null);
  if (given && !isAway(given)) return given;
  const kept = await caches.match(path, { cacheName: CACHE, ignoreVary: true });
  return kept ?? given ?? Response.error();
}

addEventListener('install', (event) => event.waitUntil(keep()));
addEventListener('activate', (event) => event.waitUntil(forgetOthers()));
addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  const isPage = pathname !== '/' || request.mode === 'navigate';
  if (request.method !== 'GET' || origin !== location.origin || search !== '' || !isPage || !KEPT.includes(pathname)) return;
  event.respondWith(answer(request, pathname));
});
