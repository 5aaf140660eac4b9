import { Table } from '@mantine/core';
import type { ReactNode } from 'react';

/** A table of a list's page; `head` are the headings, `children` the rows. Narrower than `minWidth` px it scrolls. */
export function ListTable({
  label,
  minWidth,
  head,
  children,
}: {
  readonly label: string;
  readonly minWidth: number;
  readonly head: readonly ReactNode[];
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Table.ScrollContainer minWidth={minWidth}>
      <Table highlightOnHover aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {head.map((heading, place) => (
              // Headings are fixed by the page that lists them.
              <Table.Th key={place}>{heading}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
