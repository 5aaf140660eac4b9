/** The types of MySQL whose length is one in bytes, whatever characters they hold. */
export const TEXT_BYTES: Readonly<Record<string, number>> = {
  tinytext: 255,
  text: 65_535,
  mediumtext: 16_777_215,
};
