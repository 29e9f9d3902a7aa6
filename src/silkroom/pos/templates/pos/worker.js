/* The till's service worker: keeps the page, so that it opens without a line. What the page asks of the shop goes past it. */
const SHELL = "till-shell-1";
const PICTURES = "till-pictures-1";
const MOST_PICTURES = 1500;
const PATIENCE_MS = 2500;
const ADDRESSES = {{ addresses|safe }};
const HOME = ADDRESSES[0];
const kept = new Set(ADDRESSES);

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(ADDRESSES.map((one) => new Request(one, { cache: "reload" })))));
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name.startsWith("till-") && name !== SHELL && name !== PICTURES) await caches.delete(name);
    const cache = await caches.open(SHELL);
    for (const one of await cache.keys()) if (!kept.has(new URL(one.url).pathname)) await cache.delete(one);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

/* The newest when there is a line, what was kept when there is none or the house does not answer in time. */
async function freshOrKept(request, name) {
  const cache = await caches.open(SHELL);
  const before = await cache.match(name);
  const coming = fetch(request).then((answer) => {
    if (answer.ok && !answer.redirected) cache.put(name, answer.clone());
    else if (before && answer.status >= 500) return before;
    return answer;
  });
  if (!before) return coming;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, before));
  return Promise.race([coming.catch(() => before), late]);
}

async function picture(request) {
  const cache = await caches.open(PICTURES);
  const before = await cache.match(request);
  if (before) return before;
  const answer = await fetch(request);
  if (answer.ok || answer.type === "opaque") {
    const all = await cache.keys();
    if (all.length >= MOST_PICTURES) await cache.delete(all[0]);
    await cache.put(request, answer.clone());
  }
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (request.mode === "navigate") {
    if (url.pathname === HOME) event.respondWith(freshOrKept(request, HOME));
  } else if (url.origin === self.location.origin && kept.has(url.pathname)) event.respondWith(freshOrKept(request, url.pathname));
  else if (request.destination === "image") event.respondWith(picture(request));
});
