// Dragging the top card: decided on release only, so dragging back always cancels.

const SHARE = 0.28; // of the stack's width
const FLICK = 0.5; // px per ms, in the same direction
const FLICK_MIN_PX = 24;
const RECENT_MS = 100; // a finger that rests before it lifts does not flick
const EDGE = 24; // the system's own back gesture lives there

/** top(): the card that may be dragged or null; decide(card, answer); pull(answer|null) while dragging. */
export function enableDrag(stack, { top, decide, pull }) {
  let drag = null;
  let frame = 0;

  stack.addEventListener("pointerdown", (event) => {
    const card = top();
    if (drag || !card || !card.ready || event.button !== 0 || !card.element.contains(event.target)) return;
    if (event.target.closest("button, a")) return;
    if (event.pointerType === "touch" && (event.clientX < EDGE || event.clientX > window.innerWidth - EDGE)) return;
    drag = { id: event.pointerId, card, x: event.clientX, y: event.clientY, dx: 0, dy: 0, trail: [[event.timeStamp, event.clientX]] };
    stack.setPointerCapture(event.pointerId);
    card.element.dataset.held = "";
  });

  stack.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    drag.dx = event.clientX - drag.x;
    drag.dy = event.clientY - drag.y;
    drag.trail.push([event.timeStamp, event.clientX]);
    if (drag.trail.length > 12) drag.trail.shift();
    frame ||= requestAnimationFrame(draw);
  });

  stack.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const { card, dx, trail } = drag;
    const [since, from] = trail.find(([time]) => event.timeStamp - time < RECENT_MS) ?? [event.timeStamp, event.clientX];
    const speed = (event.clientX - from) / Math.max(1, event.timeStamp - since);
    const far = Math.abs(dx) > stack.clientWidth * SHARE;
    const flicked = Math.abs(speed) > FLICK && Math.sign(speed) === Math.sign(dx) && Math.abs(dx) > FLICK_MIN_PX;
    end();
    if ((far || flicked) && top() === card) decide(card, dx > 0 ? "dope" : "nope");
    else card.settle();
  });

  for (const name of ["pointercancel", "lostpointercapture"]) {
    stack.addEventListener(name, (event) => {
      if (!drag || event.pointerId !== drag.id) return;
      const { card } = drag;
      end();
      card.settle();
    });
  }

  function draw() {
    frame = 0;
    if (!drag) return;
    const width = stack.clientWidth;
    drag.card.move(drag.dx, drag.dy, width);
    pull(Math.abs(drag.dx) > width * SHARE ? (drag.dx > 0 ? "dope" : "nope") : null);
  }

  function end() {
    cancelAnimationFrame(frame);
    frame = 0;
    delete drag.card.element.dataset.held;
    drag = null;
    pull(null);
  }
}
