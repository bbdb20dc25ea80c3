export function deidentifyText(text: string): { text: string } {
  return { text };
}
