/** Writing S3's XML answers and reading the few XML bodies that clients send. */
import { AwsError, type AwsResponse } from "../../contracts";
import { xmlEscape } from "../../endpoint/protocols";

const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** `<name>text</name>`; nothing for `undefined`. */
export function element(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? "" : `<${name}>${xmlEscape(String(text))}</${name}>`;
}

export function xmlDocument(root: string, content: string, status = 200): AwsResponse {
  return {
    status,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${S3_NAMESPACE}">${content}</${root}>`,
  };
}

/** Contents of every `<name>` block, in order. The bodies read so have no attributes, comments or CDATA to care about. */
export function blocks(xml: string, name: string): string[] {
  if (/<!DOCTYPE|<!\[CDATA\[/i.test(xml))
    throw new AwsError("MalformedXML", "The XML you provided has declarations that are not accepted.");
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"))].map((match) => match[1] ?? "");
}

export function textOf(xml: string, name: string): string | undefined {
  const text = blocks(xml, name)[0];
  return text === undefined ? undefined : decodeEntities(text);
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|quot|apos|amp));/gi,
    (_, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return { lt: "<", gt: ">", quot: '"', apos: "'" }[name ?? ""] ?? "&";
    },
  );
}
