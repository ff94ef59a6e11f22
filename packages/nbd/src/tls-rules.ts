/** Nothing older is spoken: NBD asks for this much. */
export const OLDEST_TLS = "TLSv1.2";

/**
 * With keys that both sides have. TLS 1.3 has no names of its own for them; of TLS 1.2 those come
 * first that keep old conversations secret when a key becomes known later.
 */
export const PSK_CIPHERS: string = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_AES_128_GCM_SHA256",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-PSK-CHACHA20-POLY1305",
  "ECDHE-PSK-AES256-CBC-SHA384",
  "ECDHE-PSK-AES128-CBC-SHA256",
  "PSK-AES256-GCM-SHA384",
  "PSK-AES128-GCM-SHA256",
].join(":");

/** Why TLS failed, in the few words for people that its library has among many others. */
export function tlsReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Errors of the library, unlike those of Node.js itself, have their number in their message.
  const isLibrarys = "library" in error && "reason" in error && typeof error.reason === "string";
  return isLibrarys ? String(error.reason) : error.message;
}
