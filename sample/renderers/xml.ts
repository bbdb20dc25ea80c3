/** Text made safe for XML and HTML, attribute values included. */
export function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** The label every rendered file carries where its format keeps such things: a comment, a footer, a field. */
export const NOTICE =
  "Invented sample written for tests and demonstrations. Not a real publication. Not clinical advice.";
