/** The one account of this machine. */
export const ACCOUNT_ID = "000000000000";
