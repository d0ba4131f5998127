import { Buffer } from 'node:buffer';

/**
 * Frees the memory of bytes that are no longer read, at once: zlib makes room of its own for each page, and the garbage
 * collector comes late, since it does not count what lies outside of its heap. What shares its memory with others is left alone.
 */
export function giveBack({ buffer }: Uint8Array): void {
  // Smaller ones come out of the pool that all of Node.js takes its buffers from.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}
