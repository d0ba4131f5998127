const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text within HTML, in an element or an attribute. What would not be seen is shown by its number. */
export const escape = (text: string): string =>
  text
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);

/** The same of a text of several lines, whose ends stay. */
export const escapeLines = (text: string): string => text.split('\n').map(escape).join('\n');

/** Bytes as a person reads them. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let [value, unit] = [bytes, 0];
  while (value >= 999.95 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Dollars a month; less than a cent is said so, and is not nothing. */
export const money = (dollars: number): string =>
  dollars === 0 ? '$0' : dollars < 0.01 ? 'below $0.01' : `$${dollars.toFixed(2)}`;

/** A time of ISO 8601 to the minute. */
export const minute = (iso: string | null): string =>
  iso === null ? 'never' : `${iso.slice(0, 16).replace('T', ' ')} UTC`;
