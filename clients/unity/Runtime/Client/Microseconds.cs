using System;

namespace Mfn
{
    /// <summary>The unit of the protocol's timestamps.</summary>
    internal static class Microseconds
    {
        private const long TicksEach = TimeSpan.TicksPerMillisecond / 1000;

        public static TimeSpan ToTime(long microseconds)
        {
            var limit = TimeSpan.MaxValue.Ticks / TicksEach;
            return TimeSpan.FromTicks(Math.Max(-limit, Math.Min(limit, microseconds)) * TicksEach);
        }

        public static long Of(TimeSpan time) => time.Ticks / TicksEach;
    }
}
