const ended = (text: string, mark: string): string => (/[.;]$/.test(text) ? text : `${text}${mark}`);

/** Texts one after the other in one line; a sentence ends with its full stop, a statement with its semicolon. */
export const inOneLine = (texts: readonly string[]): string =>
  texts.map((text, index) => (index === texts.length - 1 ? text : ended(text, ';'))).join(' ');

/** A text that another sentence follows. */
export const asSentence = (text: string): string => ended(text, '.');
