/**
 * Text that names a kind of thing: letters of any script, digits, and the punctuation of names such as "Food & drink (retail)" or
 * `grocery_pos`. Fields of this form are stored as they are, so no e-mail address fits, and no text with more than six of the digits 0 to 9, whatever
 * stands between them: the numbers of cards, phones, accounts and most IP addresses have more, and codes such as MCC or NAICS don't.
 * Combining marks and invisible characters pass, because they are composed and removed before anything is stored.
 */
export const CATEGORY_PATTERN =
  "^(?!(?:[^0-9]*[0-9]){7})[A-Za-z0-9 &'()+,./:_\\u00ad\\u00c0-\\u024f\\u0300-\\u036f\\u0370-\\u1fff\\u200b-\\u200d\\u2060\\ufeff\\u3040-\\ud7ff-]*$";
