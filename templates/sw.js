// Cache first: hashed static files and pictures (both immutable). Network only: pages, votes, everything else.
// A page that cannot be fetched shows the offline page.
const STATIC = "static-{{ version }}";
const IMAGES = "images-1";
const KEEP_IMAGES = 200;
const SHELL = [{% for address in shell %}"{{ address|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const OFFLINE = "{{ offline|escapejs }}";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(STATIC)
      // Without cookies: the offline page is kept, and must not name who was signed in.
      .then((cache) => cache.addAll(SHELL.map((address) => new Request(address, { credentials: "omit" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== STATIC && name !== IMAGES).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (address.pathname.startsWith("/images/")) event.respondWith(fromCache(IMAGES, request, true));
  else if (address.pathname.startsWith("/static/")) event.respondWith(fromCache(STATIC, request, false));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
});

async function fromCache(name, request, bounded) {
  const cache = await caches.open(name);
  const held = await cache.match(request);
  if (held) return held;
  const response = await fetch(request);
  if (response.ok && response.status === 200) {
    await cache.put(request, response.clone()).catch(() => {}); // a full disk must not cost the answer
    if (bounded) await trim(cache);
  }
  return response;
}

async function trim(cache) {
  const requests = await cache.keys();
  await Promise.all(requests.slice(0, Math.max(0, requests.length - KEEP_IMAGES)).map((request) => cache.delete(request)));
}
