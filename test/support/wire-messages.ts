/** Messages of PostgreSQL's protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html). */

/** One message of a server: its type, its length, its body. */
export function message(type: string, body: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([header, bytes]);
}

/** CopyOutResponse: text, so many columns. */
export const copyBegins = (columns: number): Buffer =>
  message('H', Buffer.concat([Buffer.of(0, columns >> 8, columns & 0xff), Buffer.alloc(2 * columns)]));
