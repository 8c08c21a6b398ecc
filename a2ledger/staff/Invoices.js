// Invoices, and messages to customers.
// @ts-check
import { sending } from "./A2Ledger.js";

export default {
  onExtensionPageLoad() {
    sending();
  },
};
