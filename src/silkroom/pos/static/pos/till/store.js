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
      request.result.createObjectStore("queue", { keyPath: ["till", "number"] });
      request.result.createObjectStore("given", { keyPath: ["till", "number"] });
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
export function numberFrom(till, first) {
  return within(["kept"], "readwrite", ({ kept }) => {
    const series = (number) => Math.floor((number - 1) / 1_000_000);
    then(kept.get("next"), (next) => {
      if (next?.till !== till || series(next.number) !== series(first)) kept.put({ till, number: first }, "next");
    });
  });
}

/**
 * Gives the receipt its number, queues it and empties the basket, in one transaction: two windows can never use the same
 * number, and a device that dies now does not show a sale again that is made.
 */
export function queueReceipt(receipt) {
  return within(["kept", "queue"], "readwrite", ({ kept, queue }, answer) => {
    then(kept.get("next"), (next) => {
      const made = { ...receipt, ...next };
      queue.add(made);
      kept.put({ ...next, number: next.number + 1 }, "next");
      kept.delete("basket");
      answer(made);
    });
  });
}

const keyOf = ({ till, number }) => [till, number];

/** Changes a queued receipt. */
export function changeQueued(receipt, changes) {
  return within(["queue"], "readwrite", ({ queue }) => {
    then(queue.get(keyOf(receipt)), (one) => { if (one) queue.put({ ...one, ...changes }); });
  });
}

export function dropQueued(receipt) {
  return within(["queue"], "readwrite", ({ queue }) => { queue.delete(keyOf(receipt)); });
}

/** The house has it: from the queue to those given. */
export function confirmReceipt(receipt) {
  return within(["queue", "given"], "readwrite", ({ queue, given: sent }) => {
    then(queue.get(keyOf(receipt)), (one) => {
      if (!one) return;
      sent.put({ ...one, state: "sent" });
      queue.delete(keyOf(receipt));
      then(sent.getAllKeys(), (keys) => keys.slice(0, Math.max(0, keys.length - MOST_GIVEN)).forEach((old) => sent.delete(old)));
    });
  });
}

const all = (name) => within([name], "readonly", (stores, answer) => then(stores[name].getAll(), answer));

export const queued = () => all("queue");
export const given = () => all("given");
export const parked = () => all("parked");
export const park = (sale) => within(["parked"], "readwrite", ({ parked: store }) => { store.add(sale); });
export const unpark = (id) => within(["parked"], "readwrite", ({ parked: store }) => { store.delete(id); });
