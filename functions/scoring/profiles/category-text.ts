/**
 * Text that names a kind of thing: letters of any script, digits, and the punctuation of names such as "Food & drink (retail)" or
 * `grocery_pos`. Neither an e-mail address nor the number of a phone, card or account fits, because fields of this form are stored as they
 * are.
 */
export const CATEGORY_PATTERN = "^(?!.*[0-9]{7})[A-Za-z0-9 &'()+,./:_\\u00c0-\\u024f\\u0370-\\u1fff\\u3040-\\ud7ff-]*$";
