// Keeps up with what others change: waits for the server's news. Of all tabs of a browser one waits,
// and tells the others.

const LATER = 10000; // milliseconds: a page that is opened for a moment needs no news
const AT_ONCE = 900; // an answer that comes sooner has not waited: the server may let nobody wait
const PAUSE = 10000; // between answers that don't wait

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// `follow` waits and says whether there was news, `fail` hears of what it throws.
async function keepFollowing(follow, fail) {
  for (;;) {
    const began = performance.now();
    try {
      const isNews = await follow();
      if (!isNews && performance.now() - began < AT_ONCE) await sleep(PAUSE);
    } catch (failure) {
      fail(failure);
      await sleep(PAUSE);
    }
  }
}

export async function start(follow, fail) {
  await sleep(LATER);
  const run = () => keepFollowing(follow, fail);
  try {
    await navigator.locks.request('todos.news', run);
  } catch {
    await run(); // over plain http, or where cookies are blocked, each tab waits by itself
  }
}
