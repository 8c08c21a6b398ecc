// Payments that are nobody's: assigned to a customer.
// @ts-check
import { ask } from "./A2Ledger.js";

export default {
  onExtensionPageLoad() {
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-assign]"))) {
      const { assign: payment = "", to = "", what = "" } = button.dataset;
      button.addEventListener("click", () =>
        ask(`Assign ${what}`, "The payment's id stays known: importing it again brings nothing back.",
          [{ name: "to", label: "To customer", needed: true, value: to }],
          (values) => ({ action: "transfer", customer: "", payment, ...values })),
      );
      button.disabled = false;
    }
  },
};
