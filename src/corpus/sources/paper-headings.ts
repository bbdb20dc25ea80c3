/** Headings of papers from PDFs, whose depth nobody wrote down. */

const MAIN_WORDS =
  /abstract|introduction|background|related|method|material|result|analysis|discussion|conclusion|contribution|statement|declaration|strength|limitation|future research|funding|disclosure|acknowledg|ethical|tables|figures|appendix/i;

/** MEDITRON's rule: at most three words, one of them the name of a main section (SPEC 1b.3). */
export function isMainHeading(heading: string): boolean {
  const text = heading.trim();
  return text.split(/\s+/).length <= 3 && MAIN_WORDS.test(text);
}
