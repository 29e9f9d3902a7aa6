/**
 * What the device keeps, in IndexedDB: `kept` (who it is, the shop's garments, the next number), `queue` (receipts that the
 * house has not confirmed), `given` (those it has), `parked` (sales on hold). Changes are on the disk before they are answered.
 */

const NAME = "silkroom-till";
const MOST_GIVEN = 300;
let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("kept");
      request.result.createObjectStore("queue", { keyPath: "number" });
      request.result.createObjectStore("given", { keyPath: "number" });
      request.result.createObjectStore("parked", { keyPath: "id", autoIncrement: true });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** One transaction. `act(stores, answer)` asks; `answer(value)` says what the promise becomes once all is on the disk. */
async function within(names, mode, act) {
  const base = await database();
  return new Promise((resolve, reject) => {
    const turn = base.transaction(names, mode, { durability: "strict" });
    let value;
    turn.oncomplete = () => resolve(value);
    turn.onerror = () => reject(turn.error);
    turn.onabort = () => reject(turn.error);
    act(Object.fromEntries(names.map((name) => [name, turn.objectStore(name)])), (one) => { value = one; });
  });
}

const then = (request, act) => { request.onsuccess = () => act(request.result); };

/** All that is kept, by key. */
export function readKept() {
  return within(["kept"], "readonly", ({ kept }, answer) => {
    const found = {};
    then(kept.openCursor(), function next(cursor) {
      if (!cursor) return answer(found);
      found[cursor.key] = cursor.value;
      cursor.continue();
      return undefined;
    });
  });
}

/** Keeps these; `undefined` forgets. */
export function keep(values) {
  return within(["kept"], "readwrite", ({ kept }) => {
    for (const [name, value] of Object.entries(values)) value === undefined ? kept.delete(name) : kept.put(value, name);
  });
}

/** A device that was paired anew numbers on from `first`, its own series; one that goes on keeps its place. */
export function numberFrom(first) {
  return within(["kept"], "readwrite", ({ kept }) => {
    then(kept.get("next"), (next) => {
      if (!next || Math.floor((next - 1) / 1_000_000) !== Math.floor((first - 1) / 1_000_000)) kept.put(first, "next");
    });
  });
}

/** Gives the receipt its number and queues it, in one transaction: two windows can never use the same number. */
export function queueReceipt(receipt) {
  return within(["kept", "queue"], "readwrite", ({ kept, queue }, answer) => {
    then(kept.get("next"), (next) => {
      const made = { ...receipt, number: next };
      queue.add(made);
      kept.put(next + 1, "next");
      answer(made);
    });
  });
}

/** Changes a queued receipt. */
export function changeQueued(number, changes) {
  return within(["queue"], "readwrite", ({ queue }) => {
    then(queue.get(number), (one) => { if (one) queue.put({ ...one, ...changes }); });
  });
}

export function dropQueued(number) {
  return within(["queue"], "readwrite", ({ queue }) => { queue.delete(number); });
}

/** The house has it: from the queue to those given. */
export function confirmReceipt(number) {
  return within(["queue", "given"], "readwrite", ({ queue, given }) => {
    then(queue.get(number), (one) => {
      if (!one) return;
      given.put({ ...one, state: "sent" });
      queue.delete(number);
      then(given.getAllKeys(), (keys) => keys.slice(0, Math.max(0, keys.length - MOST_GIVEN)).forEach((old) => given.delete(old)));
    });
  });
}

const all = (name) => within([name], "readonly", (stores, answer) => then(stores[name].getAll(), answer));

export const queued = () => all("queue");
export const given = () => all("given");
export const parked = () => all("parked");
export const park = (sale) => within(["parked"], "readwrite", ({ parked: store }) => { store.add(sale); });
export const unpark = (id) => within(["parked"], "readwrite", ({ parked: store }) => { store.delete(id); });
