// Which part of a map is seen, and how near: a centre on the map and pixels per unit, with gestures that change them.

import { SIDE } from "map-data";

const NEAREST = 4000; // times the whole
const STEP = 1.25;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Sight {
  constructor(changed) {
    this.changed = changed;
    [this.width, this.height] = [1, 1];
    [this.x, this.y, this.scale] = [SIDE / 2, SIDE / 2, 1 / SIDE];
  }

  get whole() {
    return (0.94 * Math.min(this.width, this.height)) / SIDE;
  }

  /** Pixels of the map's own size; what was the whole before stays the whole. */
  resize(width, height) {
    const isWhole = this.scale <= this.whole * 1.001;
    [this.width, this.height] = [width, height];
    if (isWhole) this.scale = this.whole;
    this.move(0, 0);
  }

  showAll() {
    [this.x, this.y, this.scale] = [SIDE / 2, SIDE / 2, this.whole];
    this.changed();
  }

  showPlace(x, y, nearness) {
    [this.x, this.y] = [x, y];
    this.scale = Math.max(this.scale, nearness * this.whole);
    this.changed();
  }

  /** By pixels of the screen. */
  move(across, down) {
    this.x = clamp(this.x + across / this.scale, 0, SIDE);
    this.y = clamp(this.y + down / this.scale, 0, SIDE);
    this.changed();
  }

  /** Nearer by a factor; what lies at a pixel stays there. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.toMap(px, py);
    this.scale = clamp(this.scale * factor, this.whole, NEAREST * this.whole);
    this.x = clamp(x - (px - this.width / 2) / this.scale, 0, SIDE);
    this.y = clamp(y - (py - this.height / 2) / this.scale, 0, SIDE);
    this.changed();
  }

  step(isNearer) {
    this.zoom(isNearer ? STEP ** 2 : STEP ** -2);
  }

  toMap(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y + (py - this.height / 2) / this.scale];
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  /** The rectangle that is seen: left, top, right, bottom on the map. */
  get bounds() {
    return [...this.toMap(0, 0), ...this.toMap(this.width, this.height)];
  }

  press(event) {
    const arrow = ARROWS[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    if (arrow) this.move(...arrow.map((step) => step * (event.shiftKey ? 160 : 48)));
    else if (event.key === "+" || event.key === "=") this.step(true);
    else if (event.key === "-" || event.key === "_") this.step(false);
    else if (event.key === "Home" || event.key === "0") this.showAll();
    else return false;
    return true;
  }
}

/** Dragging, pinching, turning the wheel and pressing, told to `hand`: { lassoing, draw, drawn, pick }. */
export function listen(stage, sight, hand) {
  const held = new Map(); // pointers by their number
  let line = null;
  let moved = 0;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    sight.zoom(STEP ** clamp(-event.deltaY / (event.deltaMode ? 3 : 60), -4, 4), ...place(event));
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("a, button")) return;
    stage.setPointerCapture(event.pointerId);
    held.set(event.pointerId, place(event));
    moved = held.size > 1 ? Infinity : 0;
    line = hand.lassoing && held.size === 1 ? [sight.toMap(...place(event))] : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    held.set(event.pointerId, now);
    if (line) {
      line.push(sight.toMap(...now));
      hand.draw(line);
    } else if (held.size === 1) sight.move(before[0] - now[0], before[1] - now[1]);
    else {
      const [other] = [...held].filter(([number]) => number !== event.pointerId).map(([, at]) => at);
      const [was, is] = [before, now].map((at) => Math.max(8, Math.hypot(at[0] - other[0], at[1] - other[1])));
      sight.move((before[0] - now[0]) / 2, (before[1] - now[1]) / 2);
      sight.zoom(is / was, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
  });
  const release = (event) => {
    if (!held.delete(event.pointerId)) return;
    if (line) hand.drawn(event.type === "pointerup" ? line : []);
    else if (event.type === "pointerup" && moved < 6 && held.size === 0) hand.pick(...sight.toMap(...place(event)));
    line = null;
  };
  for (const kind of ["pointerup", "pointercancel"]) stage.addEventListener(kind, release);
  stage.addEventListener("keydown", (event) => {
    if (event.target === stage && sight.press(event)) event.preventDefault();
  });
}
