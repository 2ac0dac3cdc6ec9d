// How wide an element is, for what is drawn in it with texts of their own size.

import { useLayoutEffect, useRef, useState } from "../vendor/preact.js";

/**
 * A reference for the element, and its width in pixels; null before it is there.
 * @returns {[import("../vendor/preact.js").MutableRef<any>, number | null]}
 */
export function useWidth() {
  const element = useRef(null);
  const [width, setWidth] = useState(null);
  useLayoutEffect(() => {
    const measure = () => setWidth(Math.round(element.current.clientWidth));
    measure();
    const resizes = new ResizeObserver(measure);
    resizes.observe(element.current);
    return () => resizes.disconnect();
  }, []);
  return [element, width];
}
