// One design for all pages: colours, shapes and defaults of the components.
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** A sea colour; shade 8 has a contrast of at least 4.5 with white. */
const sea: MantineColorsTuple = [
  ...(['#e6fbfd', '#d3f3f7', '#a8e6ee', '#79d8e5', '#53ccdd'] as const),
  ...(['#3bc5d8', '#2cb5c9', '#149bae', '#0b7285', '#075d6d'] as const),
];

/** A button with a cross has no other name. */
const closeable = { closeButtonProps: { 'aria-label': 'Close' } };

/** The head of a dialog is not the banner of the page. */
const dialogHeader = { role: 'presentation' };

/** What is wider than the screen can be read without a mouse. */
const scrolledByKeys = { scrollAreaProps: { viewportProps: { tabIndex: 0 } } };

export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: { light: 8, dark: 8 },
  colors: { sea },
  autoContrast: true,
  respectReducedMotion: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: { fontWeight: '650' },
  components: {
    Anchor: { defaultProps: { underline: 'always' } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Modal: { defaultProps: { centered: true, overlayProps: { blur: 2 }, ...closeable } },
    ModalHeader: { defaultProps: dialogHeader },
    Drawer: { defaultProps: closeable },
    DrawerHeader: { defaultProps: dialogHeader },
    TableScrollContainer: { defaultProps: scrolledByKeys },
  },
});

/** Quiet text keeps a contrast of at least 4.5 with what is behind it. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-red-text': '#c92a2a',
    '--mantine-color-red-outline': '#c92a2a',
    '--mantine-color-dimmed': '#5c636a',
    '--studio-page': '#fafbfc',
    '--studio-line': '#dee2e6',
    '--studio-code': '#f1f3f5',
    '--studio-mark': '#c3fae8',
    '--studio-warning': '#fff3bf',
    '--studio-warning-text': '#7a4100',
    '--studio-shadow': '0 -4px 16px rgb(0 0 0 / 6%)',
  },
  dark: {
    '--mantine-color-dimmed': '#a6adb4',
    '--studio-page': '#141517',
    '--studio-line': '#3b3f44',
    '--studio-code': '#101113',
    '--studio-mark': '#0b5345',
    '--studio-warning': '#3d2c00',
    '--studio-warning-text': '#ffd43b',
    '--studio-shadow': '0 -4px 16px rgb(0 0 0 / 40%)',
  },
});
