// What the browser tests ask a page. Evaluated in it before the first question.
window.probes = {
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

  shift() {
    return new Promise((done) => {
      let sum = 0;
      const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
      new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(sum), 150);
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

  /** Where the focus is (a number for each element) and, if it cannot be seen, on what. */
  focus() {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    window.seen ??= new Map();
    if (!window.seen.has(element)) window.seen.set(element, window.seen.size);
    const around = element.closest(".card, tr, label.button, .log-search");
    const isSeen = [element, around].some((one) => one && getComputedStyle(one).outlineStyle !== "none");
    return [window.seen.get(element), isSeen ? "" : element.outerHTML.slice(0, 120)];
  },

  fits() {
    return document.documentElement.scrollWidth <= innerWidth;
  },
};
