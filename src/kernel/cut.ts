/** The text, of a longer one the beginning with an ellipsis: at most `longest` characters, never half of a surrogate pair. */
export const cut = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest - 1).toWellFormed()}…` : text;
