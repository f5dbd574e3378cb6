using System;
using UnityEngine;

namespace Mfn.Unity
{
    /// <summary>The rows of a picture's pixels.</summary>
    internal static class PixelRows
    {
        /// <summary>Turns a picture upside down, in place. width: pixels in a row.</summary>
        public static void Flip(Color32[] pixels, int width)
        {
            var row = new Color32[width];
            for (int low = 0, high = pixels.Length - width; low < high; low += width, high -= width)
            {
                Array.Copy(pixels, low, row, 0, width);
                Array.Copy(pixels, high, pixels, low, width);
                Array.Copy(row, 0, pixels, high, width);
            }
        }
    }
}
