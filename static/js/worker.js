// The service worker: registered only after the first accepted vote, removed by "forget me".

export function enableOfflinePage() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
}

export async function removeOfflinePage() {
  if ("serviceWorker" in navigator) {
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  }
  if ("caches" in window) for (const name of await caches.keys()) await caches.delete(name);
}
