// A table that is wider than a narrow screen: it scrolls, also with the keyboard.
import { Box } from '@mantine/core';
import type { ReactNode } from 'react';

export const Scroll = ({ label, children }: { label: string; children: ReactNode }) => (
  <Box className="scroll-x" tabIndex={0} role="group" aria-label={label}>
    {children}
  </Box>
);
