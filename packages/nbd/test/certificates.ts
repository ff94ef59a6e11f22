import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";

/** A certificate and its key, in PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

interface Wanted {
  readonly commonName: string;
  /** DNS names that it stands for. */
  readonly hosts?: readonly string[];
  /** Signed before now. */
  readonly isExpired?: boolean;
}

const Tag = {
  Integer: 2,
  BitString: 3,
  OctetString: 4,
  Utf8: 12,
  UtcTime: 23,
  Sequence: 48,
} as const;
const SET = 49;
const EXPLICIT = 0xa0;
const DNS_NAME = 0x82;

// The encoded object identifiers of ecdsa-with-SHA256, commonName, basicConstraints and subjectAltName.
const ECDSA_SHA256 = "06082a8648ce3d040302";
const COMMON_NAME = "0603550403";
const BASIC_CONSTRAINTS = "0603551d13";
const SUBJECT_ALT_NAME = "0603551d11";

const DAY_MS = 24 * 3600 * 1000;

/** Signs certificates, as an authority that exists for a test. */
export class Authority {
  readonly certificate: string;
  readonly #key: KeyObject;
  readonly #name: Buffer;

  constructor(commonName = "authority") {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    this.#name = nameOf(commonName);
    const isAuthority = extension(BASIC_CONSTRAINTS, der(Tag.Sequence, hex("0101ff")));
    this.certificate = this.#sign(publicKey, this.#name, [isAuthority], 1);
  }

  issue({ commonName, hosts = [], isExpired = false }: Wanted): Identity {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const names = hosts.map((host) => der(DNS_NAME, Buffer.from(host)));
    const extensions =
      hosts.length === 0 ? [] : [extension(SUBJECT_ALT_NAME, der(Tag.Sequence, ...names))];
    return {
      certificate: this.#sign(publicKey, nameOf(commonName), extensions, isExpired ? -1 : 1),
      key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    };
  }

  /** A list of certificates that count no more, in PEM. */
  revoke(...revoked: readonly Identity[]): string {
    const entries = revoked.map(({ certificate }) => {
      const serial = hex(new X509Certificate(certificate).serialNumber);
      return der(Tag.Sequence, der(Tag.Integer, serial), time(Date.now() - DAY_MS));
    });
    const list = der(
      Tag.Sequence,
      der(Tag.Integer, hex("01")),
      der(Tag.Sequence, hex(ECDSA_SHA256)),
      this.#name,
      time(Date.now() - DAY_MS),
      time(Date.now() + DAY_MS),
      der(Tag.Sequence, ...entries),
    );
    return this.#pem("X509 CRL", list);
  }

  #sign(key: KeyObject, subject: Buffer, extensions: readonly Buffer[], days: number): string {
    const algorithm = der(Tag.Sequence, hex(ECDSA_SHA256));
    const body = der(
      Tag.Sequence,
      der(EXPLICIT, der(Tag.Integer, hex("02"))),
      der(Tag.Integer, Buffer.concat([hex("01"), randomBytes(8)])),
      algorithm,
      this.#name,
      der(Tag.Sequence, time(Date.now() - 2 * DAY_MS), time(Date.now() + days * DAY_MS)),
      subject,
      key.export({ type: "spki", format: "der" }),
      ...(extensions.length === 0 ? [] : [der(EXPLICIT + 3, der(Tag.Sequence, ...extensions))]),
    );
    return this.#pem("CERTIFICATE", body);
  }

  #pem(what: string, body: Buffer): string {
    const signature = der(Tag.BitString, hex("00"), sign("sha256", body, this.#key));
    const algorithm = der(Tag.Sequence, hex(ECDSA_SHA256));
    const text = der(Tag.Sequence, body, algorithm, signature).toString("base64");
    const lines = text.replace(/.{1,64}/g, "$&\n");
    return `-----BEGIN ${what}-----\n${lines}-----END ${what}-----\n`;
  }
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function nameOf(commonName: string): Buffer {
  const pair = der(Tag.Sequence, hex(COMMON_NAME), der(Tag.Utf8, Buffer.from(commonName)));
  return der(Tag.Sequence, der(SET, pair));
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/^..|[-:T]|\.\d+/g, "");
  return der(Tag.UtcTime, Buffer.from(text));
}

function extension(identifier: string, content: Buffer): Buffer {
  return der(Tag.Sequence, hex(identifier), der(Tag.OctetString, content));
}
