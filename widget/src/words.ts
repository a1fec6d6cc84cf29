import type { Config } from './parts';

/** The string of a name in the reader's language, in the plural form for `n`. */
export type Say = (name: string, n?: number) => string;

export function sayer({ strings, locale }: Config): Say {
  return (name, n = 0) => {
    const words = strings[name] ?? '';
    const text =
      typeof words === 'string'
        ? words
        : (words[new Intl.PluralRules(locale).select(n)] ?? words.other ?? '');
    return text.replace('{n}', n.toLocaleString(locale));
  };
}
