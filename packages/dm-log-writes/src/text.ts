/** The text of a mark as UTF-8; half a character, which UTF-8 cannot say, becomes U+FFFD. */
export function bytesOfText(text: string): Uint8Array {
  const escaped = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\uFFFD"));
  const units = escaped.match(/%[0-9A-F]{2}|[^%]/g) ?? [];
  return Uint8Array.from(units, (unit) => {
    return unit.length === 1 ? unit.charCodeAt(0) : Number.parseInt(unit.slice(1), 16);
  });
}

/** The text that bytes are; those that are no UTF-8 count as one character each. */
export function textOfBytes(bytes: Uint8Array): string {
  const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  try {
    return decodeURIComponent(escaped);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return String.fromCharCode(...bytes);
  }
}
