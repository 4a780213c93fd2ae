// What the browser tests ask a page. Evaluated in it before the first question.
window.probes = {
  since: performance.now(),

  axe() {
    const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return this.violations({ type: "tag", values });
  },

  contrast() {
    return this.violations({ type: "rule", values: ["color-contrast"] });
  },

  async violations(runOnly) {
    // What passes is counted, not described: that halves the time.
    const { violations } = await axe.run(document, { runOnly, resultTypes: ["violations"] });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
  },

  /** How much the page has moved, from its first moment to 150 ms after it was there or later. */
  shift() {
    return new Promise((done) => {
      let sum = 0;
      const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
      new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(sum), Math.max(20, 150 - (performance.now() - this.since)));
    });
  },

  /** Controls too small for a finger. Links in a sentence may be smaller (WCAG 2.5.8). */
  small() {
    const controls =
      "button, .button, select, .side a, .tabs a, .filter a, summary, textarea, input:not([type=hidden])";
    return [...document.querySelectorAll(controls)]
      .filter((control) => control.checkVisibility())
      .filter((control) => !control.closest(".log-lines, .unseen, .link"))
      .map((control) =>
        ["checkbox", "radio"].includes(control.type) ? control.closest(".check, label") : control,
      )
      .map((control) => ({ box: control.getBoundingClientRect(), html: control.outerHTML }))
      .filter(({ box }) => box.height < 43.5 || box.width < 30)
      .map(({ box, html }) => `${box.width} x ${box.height}: ${html.slice(0, 100)}`);
  },

  /** How many things Tab must reach. */
  focusable() {
    const groups = new Set();
    const controls =
      "a[href], button:not(:disabled), input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    return [...document.querySelectorAll(controls)]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => element.tabIndex >= 0 && !element.closest("dialog:not([open])"))
      .filter((element) => element.type !== "radio" || (!groups.has(element.name) && groups.add(element.name)))
      .length;
  },

  /** Remember where the focus goes, and where it cannot be seen. */
  follow() {
    this.reached = new Set();
    this.unseen = [];
    addEventListener("focusin", ({ target }) => {
      this.reached.add(target);
      const around = target.closest(".card, tr, label.button, .log-search");
      const isSeen = [target, around].some((one) => one && getComputedStyle(one).outlineStyle !== "none");
      if (!isSeen) this.unseen.push(target.outerHTML.slice(0, 120));
    });
  },

  /** Whether nothing is wider than the page. A phone zooms out for what is, and `innerWidth` grows
   * with it; the width that the page is laid out in stays. */
  fits() {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth <= clientWidth;
  },

  /** Cells of tables so narrow that their words stand letter below letter. */
  squeezed() {
    return [...document.querySelectorAll("th, td")]
      .filter((cell) => cell.innerText.trim().length > 3 && cell.clientWidth)
      .filter((cell) => {
        const style = getComputedStyle(cell);
        const inner = cell.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return inner < 1.5 * parseFloat(style.fontSize);
      })
      .map((cell) => cell.innerText);
  },
};
