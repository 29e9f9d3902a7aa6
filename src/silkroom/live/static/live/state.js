/**
 * The state of a room as a fold of its events. Pure: no element, no clock, no socket.
 *
 * It is the twin of `silkroom.live.room.rules`: snapshot + the events that follow == a fresh snapshot, to the byte. A kind
 * that is not known here changes nothing, so an older page survives a newer server.
 */

export const COMMENTS_KEPT = 50;
export const QUESTIONS_KEPT = 200;
export const MUTED_KEPT = 500;

/** What a room is before its first event. */
export const emptyState = () => ({
  broadcast: null,
  tray: [],
  spotlight: null,
  deals: [],
  pinned: null,
  comments: [],
  questions: [],
  likes: 0,
  muted: [],
});

const ifInTray = (tray, style) => (tray.some((one) => one.style === style) ? style : null);

const withStock = (garment, left) =>
  garment.variants.some((one) => left.has(one.variant))
    ? { ...garment, variants: garment.variants.map((one) => ({ ...one, left: left.get(one.variant) ?? one.left })) }
    : garment;

const said = ({ n, at, d }, question) => ({ n, at, name: d.name, text: d.text, person: d.person, role: d.role ?? "viewer", question });

/** An entry back at its place by number, once. */
const putBack = (entries, one) => [...entries.filter(({ n }) => n < one.n), one, ...entries.filter(({ n }) => n > one.n)];

/** Each gives the fields of the state that an event changes. */
const kinds = {
  opened: (state, { d }) => ({ ...emptyState(), broadcast: d.broadcast, tray: d.tray }),
  show_changed: (state, { d }) => ({ broadcast: { ...state.broadcast, ...d } }),
  tray_changed: (state, { d }) => ({ tray: d.tray, spotlight: ifInTray(d.tray, state.spotlight) }),
  spotlight: (state, { d }) => ({ spotlight: ifInTray(state.tray, d.style) }),
  stock(state, { d }) {
    const left = new Map(d.left);
    return { tray: state.tray.map((garment) => withStock(garment, left)) };
  },
  deal_launched: (state, { d, at }) => ({
    deals: [...state.deals.filter((one) => one.deal !== d.deal && one.ends_at_ms > at), d],
  }),
  deal_changed: (state, { d }) => ({ deals: state.deals.map((one) => (one.deal === d.deal ? { ...one, ...d } : one)) }),
  deal_withdrawn: (state, { d }) => ({ deals: state.deals.filter((one) => one.deal !== d.deal) }),
  comment: (state, event) => ({ comments: [...state.comments, said(event, false)].slice(-COMMENTS_KEPT) }),
  question(state, event) {
    const { n, at, d } = event;
    const question = {
      n, at, name: d.name, text: d.text, person: d.person, role: d.role ?? "viewer", delay_ms: d.delay_ms, style: d.style,
      state: "asked", answered_at_ms: null, answered_media_ms: null,
    };
    return {
      comments: [...state.comments, said(event, true)].slice(-COMMENTS_KEPT),
      questions: [...state.questions, question].slice(-QUESTIONS_KEPT),
    };
  },
  answered: (state, { d }) => ({
    questions: state.questions.map((one) =>
      one.n === d.question
        ? { ...one, state: "answered", answered_at_ms: d.answered_at_ms, answered_media_ms: d.answered_media_ms }
        : one,
    ),
  }),
  pinned: (state, { d }) => ({ pinned: { n: d.n, name: d.name, text: d.text } }),
  unpinned: () => ({ pinned: null }),
  hidden: (state, { d }) => ({
    comments: state.comments.filter((one) => one.n !== d.n),
    questions: state.questions.filter((one) => one.n !== d.n),
    pinned: state.pinned?.n === d.n ? null : state.pinned,
  }),
  unhidden: (state, { d }) => ({
    comments: putBack(state.comments, d.comment).slice(-COMMENTS_KEPT),
    questions: (d.question ? putBack(state.questions, d.question) : state.questions).slice(-QUESTIONS_KEPT),
  }),
  muted: (state, { d }) => ({ muted: [...state.muted.filter((one) => one !== d.person), d.person].slice(-MUTED_KEPT) }),
  unmuted: (state, { d }) => ({ muted: state.muted.filter((one) => one !== d.person) }),
  likes: (state, { d }) => ({ likes: state.likes + d.count }),
};

/** `state` after `event` ({n, k, at, d}). Never changes its arguments; parts that did not change are the same objects. */
export function applyEvent(state, event) {
  return Object.hasOwn(kinds, event.k) ? { ...state, ...kinds[event.k](state, event) } : state;
}

/** `state` after many events, in order. */
export function applyEvents(state, events) {
  return events.reduce(applyEvent, state);
}

/** Has the show come to its end, or was it cancelled? Nothing changes after that. */
export const isOver = (show) => show === "ended" || show === "cancelled";

/** The deal of a style that is on the frame at `nowMs` and not used up, or undefined. The last one launched wins. */
export function openDealOf(state, style, nowMs) {
  return state.deals.findLast((deal) => deal.style === style && dealIsOpen(deal, nowMs));
}

/** May somebody buy at this deal's price at `nowMs`? */
export function dealIsOpen(deal, nowMs) {
  return nowMs >= deal.starts_at_ms && nowMs < deal.ends_at_ms && (deal.cap === null || deal.taken < deal.cap);
}

/** What one piece costs now: a deal never makes a variant dearer. `deal` may be undefined. */
export function priceNow(variant, deal) {
  return deal ? Math.min(variant.price_minor, deal.price_minor) : variant.price_minor;
}

/** The garment of the tray with this number. */
export function garmentOf(state, style) {
  return state.tray.find((one) => one.style === style);
}

/** Pieces left of a garment, over all its variants. */
export function piecesLeft(garment) {
  return garment.variants.reduce((sum, variant) => sum + Math.max(0, variant.left), 0);
}

/** [{id, label, left}]: pieces left by size, in the garment's order of sizes. */
export function leftBySize(garment) {
  return garment.sizes.map(({ id, label }) => ({
    id,
    label,
    left: garment.variants.reduce((sum, one) => (one.size === id ? sum + Math.max(0, one.left) : sum), 0),
  }));
}
