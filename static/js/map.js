// <item-map points items colours list>: a map of items to move in, with their pictures where there is room for them.
// Without this module, or without a canvas, the list that the page links to holds the same.

import { Points, simplify } from "map-data";
import { makePainter, pathOf } from "map-paint";
import { Sight, listen } from "map-sight";

const CORNERS = 120; // of a lasso
const TILE = 76; // pixels of a picture and the room around it
const PICTURES = 60;
const CROWDED = 3000; // points in sight, beyond which pictures would tell nothing
const STILL_MS = 140; // without a move, before pictures are looked for
const HUES = 7;

class ItemMap extends HTMLElement {
  #frame = 0;
  #still = 0;
  #shown = -1; // the one code that is looked at, or all
  #known = new Map(); // what the server told of items, by position
  #pictures = new Map(); // elements, by row
  #corners = null;

  connectedCallback() {
    this.stage = this.querySelector(".map-stage");
    this.canvas = this.querySelector("canvas");
    this.note = this.querySelector(".map-note");
    this.legend = this.querySelector(".map-legend");
    this.line = this.querySelector(".map-lasso polyline");
    this.over = this.querySelector(".map-pictures");
    this.lasso = this.querySelector("[data-deed=lasso]");
    this.painter = makePainter(this.canvas);
    if (!this.painter) return this.#say(this.dataset.textNone);
    this.canvas = this.painter.canvas;
    this.sight = new Sight(() => this.#plan());
    listen(this.stage, this.sight, {
      draw: (line) => this.#draw(line),
      drawn: (line) => this.#choose(line),
      pick: (x, y) => this.#pick(x, y),
      get lassoing() {
        return this.lasso.getAttribute("aria-pressed") === "true";
      },
      lasso: this.lasso,
    });
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault()); // it is to come back
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.painter = makePainter(this.canvas);
      if (this.points) this.#begin();
    });
    this.addEventListener("click", (event) => this.#click(event));
    this.addEventListener("change", (event) => event.target.name === "by" && this.#colour(event.target.value));
    this.querySelector("form").addEventListener("submit", (event) => this.#find(event));
    new ResizeObserver(() => this.#measure()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#readHues());
    new MutationObserver(() => this.#readHues()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.#open();
  }

  async #open() {
    const answer = await this.#fetch(this.dataset.points);
    if (!answer) return;
    this.points = new Points(await answer.arrayBuffer());
    this.codes = new Uint8Array(this.points.count).fill(5); // the accent's hue
    this.chosen = new Uint8Array(this.points.count);
    this.#begin();
    this.#measure();
    this.sight.showAll();
    this.#paint();
    performance.mark("map-picture");
    this.dataset.painted = this.painter.kind;
    const by = this.querySelector("[name=by]");
    if (by) this.#colour(by.value);
  }

  /** With a canvas that has nothing on it yet, or not any more. */
  #begin() {
    this.painter.take(this.points, this.codes, this.chosen);
    this.#readHues();
  }

  async #fetch(address) {
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json, */*" } });
      if (answer.ok) return answer;
      this.#say((await answer.json()).detail);
    } catch {
      this.#say(this.dataset.textOffline);
    }
    return null;
  }

  #say(text) {
    this.note.textContent = text;
  }

  /** Colours as the theme has them: custom properties say it only where they are used. */
  #readHues() {
    const read = (element) => getComputedStyle(element).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    const hues = [...this.querySelectorAll(".map-hues i")].map(read);
    const last = hues[HUES - 1]; // grey, for all others
    this.hues = Array.from({ length: 13 }, (_, code) => (code < this.named || this.named === undefined ? hues[code % (HUES - 1)] : last));
    if (this.points) this.#plan();
  }

  #measure() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    [this.canvas.width, this.canvas.height] = [width * this.ratio, height * this.ratio];
    if (this.points) this.sight.resize(width, height);
    else [this.sight.width, this.sight.height] = [width, height];
  }

  #plan() {
    if (!this.points) return;
    this.#frame ||= requestAnimationFrame(() => this.#paint());
    clearTimeout(this.#still);
    this.#still = setTimeout(() => this.#showPictures(), STILL_MS);
  }

  #paint() {
    this.#frame = 0;
    const near = this.sight.scale / this.sight.whole;
    const size = Math.min(14, Math.max(2.4, (26 / Math.sqrt(Math.sqrt(this.points.count))) * near ** 0.45));
    const { sight, ratio, hues } = this;
    this.painter.paint({ sight, ratio, size, hues, shown: this.#shown, anyChosen: this.#corners !== null });
    for (const [row, picture] of this.#pictures) this.#put(row, picture);
    if (this.here !== undefined) this.#put(this.here, this.querySelector(".map-here"));
    this.#drawShape();
    const [left, top, right, bottom] = sight.bounds.map((place) => Math.min(65535, Math.max(0, Math.round(place))));
    this.querySelector("[data-in-sight]").href = `${this.dataset.list}?area=${[left, top, right, top, right, bottom, left, bottom]}`;
    this.dataset.near = near.toFixed(3);
  }

  #put(row, picture) {
    const [x, y] = this.sight.toScreen(this.points.places[2 * row], this.points.places[2 * row + 1]);
    picture.style.translate = `${Math.round(x)}px ${Math.round(y)}px`;
  }

  /** One picture for each part of the screen that has points, where there are not too many to tell apart. */
  async #showPictures() {
    const wanted = new Map();
    let count = 0;
    this.points.visit(...this.sight.bounds, (row, x, y) => {
      if (this.#shown >= 0 && this.codes[row] !== this.#shown) return;
      count += 1;
      const [px, py] = this.sight.toScreen(x, y);
      const cell = Math.floor(px / TILE) + 1000 * Math.floor(py / TILE);
      if (!(wanted.get(cell) <= row)) wanted.set(cell, row);
    });
    const rows = count <= CROWDED ? [...wanted.values()].slice(0, PICTURES) : [];
    await this.#learn(rows.map((row) => this.points.positions[row]));
    for (const [row, picture] of this.#pictures) if (!rows.includes(row)) this.#pictures.delete(row) && picture.remove();
    for (const row of rows) {
      const known = this.#known.get(this.points.positions[row]);
      if (!known || this.#pictures.has(row)) continue;
      const picture = new Image();
      [picture.src, picture.alt, picture.decoding] = [known.image, "", "async"];
      this.#pictures.set(row, picture);
      this.#put(row, picture);
      this.over.append(picture);
    }
    this.dataset.pictures = this.#pictures.size;
  }

  async #learn(positions) {
    const missing = positions.filter((position) => !this.#known.has(position));
    if (!missing.length) return;
    const answer = await this.#fetch(`${this.dataset.items}?at=${missing}`);
    for (const known of answer ? (await answer.json()).items : []) this.#known.set(known.position, known);
  }

  async #colour(by) {
    const answer = await this.#fetch(`${this.dataset.colours}?by=${encodeURIComponent(by)}`);
    if (!answer) return;
    const { values, others, codes } = await answer.json();
    this.codes = Uint8Array.from(atob(codes), (letter) => letter.charCodeAt(0));
    this.named = values.length;
    this.#shown = -1;
    this.painter.take(this.points, this.codes, this.chosen);
    const entries = others ? [...values, { name: "all others", count: others }] : values;
    this.legend.replaceChildren(...entries.map((entry, code) => this.#describe(entry, code)));
    this.dataset.by = by;
    this.#readHues();
  }

  #describe({ name, count }, code) {
    const item = document.createElement("li");
    const hue = code < this.named ? code % (HUES - 1) : HUES - 1;
    item.innerHTML = `<button type="button" class="hue-${hue}" aria-pressed="false" data-code="${code}"><svg viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d="${pathOf(code)}"/></svg><span></span> <span class="muted figures"></span></button>`;
    const [label, figure] = item.querySelectorAll("span");
    [label.textContent, figure.textContent] = [name, count.toLocaleString("en")];
    return item;
  }

  #click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { deed, code, row } = button.dataset;
    if (deed === "nearer" || deed === "further") this.sight.step(deed === "nearer");
    else if (deed === "whole") this.sight.showAll();
    else if (deed === "lasso") button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    else if (deed === "drop") this.#choose([]);
    else if (code !== undefined) this.#look(Number(code));
    else if (row !== undefined) this.#goTo(Number(row));
  }

  /** At one value alone, or at all again. */
  #look(code) {
    this.#shown = this.#shown === code ? -1 : code;
    for (const button of this.legend.querySelectorAll("button")) button.setAttribute("aria-pressed", Number(button.dataset.code) === this.#shown);
    this.#plan();
  }

  #draw(line) {
    this.#corners = simplify(line, CORNERS);
    this.#drawShape();
  }

  #drawShape() {
    const corners = (this.#corners ?? []).map((corner) => this.sight.toScreen(...corner).map(Math.round).join());
    this.line.setAttribute("points", corners.length ? [...corners, corners[0]].join(" ") : "");
  }

  #choose(line) {
    const corners = simplify(line, CORNERS);
    const rows = corners.length > 2 ? this.points.inside(corners) : [];
    this.#corners = corners.length > 2 ? corners : null;
    this.chosen.fill(0);
    for (const row of rows) this.chosen[row] = 1;
    this.painter.take(this.points, this.codes, this.chosen);
    this.lasso.setAttribute("aria-pressed", false);
    const chosen = this.querySelector(".map-chosen");
    chosen.hidden = !this.#corners;
    chosen.querySelector("[data-count]").textContent = rows.length.toLocaleString("en");
    chosen.querySelector("a").href = `${this.dataset.list}?area=${corners}`;
    this.#plan();
  }

  async #pick(x, y) {
    const row = this.points.nearest(x, y, 16 / this.sight.scale);
    if (row >= 0) await this.#tell(row);
  }

  async #tell(row) {
    const position = this.points.positions[row];
    await this.#learn([position]);
    const known = this.#known.get(position);
    const card = this.querySelector(".map-item");
    if (!known) return;
    const [picture, link, near] = card.querySelectorAll("img, a");
    [picture.src, picture.alt, link.href, near.href] = [known.image, "", known.page, `${this.dataset.list}?near=${position}`];
    link.textContent = `${known.category} ${known.key}`.trim();
    card.hidden = false;
  }

  async #find(event) {
    event.preventDefault();
    const words = new FormData(event.target).get("q").trim();
    if (!words || !this.points) return;
    const answer = await this.#fetch(`${this.dataset.items}?q=${encodeURIComponent(words)}`);
    if (!answer) return;
    const { count, items } = await answer.json();
    for (const known of items) this.#known.set(known.position, known);
    const list = this.querySelector(".map-found");
    list.replaceChildren(...items.map((known) => {
      const [item, button] = [document.createElement("li"), document.createElement("button")];
      [button.type, button.className, button.textContent] = ["button", "button small", `${known.category} ${known.key}`.trim()];
      button.dataset.row = this.points.rowOf(known.position);
      item.append(button);
      return item;
    }));
    this.#say(count ? `${count.toLocaleString("en")} found${count > items.length ? `, the first ${items.length} are named` : ""}.` : this.dataset.textNothing);
    if (items.length) this.#goTo(this.points.rowOf(items[0].position));
  }

  #goTo(row) {
    this.sight.showPlace(this.points.places[2 * row], this.points.places[2 * row + 1], Math.sqrt(this.points.count) / 4);
    const place = this.querySelector(".map-here");
    place.hidden = false;
    this.here = row;
    this.#tell(row);
    this.#plan();
  }
}

customElements.define("item-map", ItemMap);
