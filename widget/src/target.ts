import type { Config, Embed } from './parts';
import type { PassageSelector } from './selector';

/** Which passage of which page, as the service takes it. */
export function targetOf(
  { here }: Embed,
  { limits }: Config,
  passage: PassageSelector | null,
  lang: string,
): object {
  const { url, canonical = '' } = here();
  const { start, end, revision, ...quote } = passage ?? {};
  return {
    source: url,
    canonical: canonical.length > limits.url ? '' : canonical,
    title: [...document.title].slice(0, limits.title).join(''),
    lang: /^(?=.{1,35}$)[a-z\d]+(-[a-z\d]+)*$/i.test(lang) ? lang : '',
    selector: passage
      ? [
          { type: 'TextQuoteSelector', ...quote },
          { type: 'TextPositionSelector', start, end },
        ]
      : undefined,
    revision,
  };
}

/** A report as JSON without what was left empty, save the suggestion: there that means to delete. */
export function written(report: object): string {
  return JSON.stringify(report, (name, value) =>
    value === '' && name !== 'suggestion'
      ? undefined
      : // The service refuses NUL and halves of surrogate pairs.
        (value?.replace?.(/\p{Surrogate}|\0/gu, '\ufffd') ?? value),
  );
}
