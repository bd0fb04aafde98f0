// FullCalendar writes a font of icons into its styles, as a data: address, which our content
// security policy forbids. Its rule is left out: the calendar shows none of those icons.
"use strict";

(() => {
  const insert = CSSStyleSheet.prototype.insertRule;
  CSSStyleSheet.prototype.insertRule = function insertRule(rule, at) {
    return insert.call(this, rule.startsWith("@font-face") ? ".fc-icon{}" : rule, at);
  };
  document.addEventListener("DOMContentLoaded", () => {
    CSSStyleSheet.prototype.insertRule = insert;
  });
})();
