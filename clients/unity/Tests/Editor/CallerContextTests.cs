using System;
using System.Collections.Generic;
using System.Threading;
using NUnit.Framework;

namespace Mfn.Unity.Tests
{
    /// <summary>Where events are raised, and in which order.</summary>
    public sealed class CallerContextTests
    {
        [Test]
        public void CallbacksRunInOrderOnTheContextOfTheMaker()
        {
            var before = SynchronizationContext.Current;
            var main = new Turns();
            SynchronizationContext.SetSynchronizationContext(main);
            var caller = new CallerContext();
            SynchronizationContext.SetSynchronizationContext(before);

            var told = new List<int>();
            caller.Post(() => told.Add(1));
            caller.Post(() => throw new InvalidOperationException());
            caller.Post(() => told.Add(3));
            Assert.AreEqual(0, told.Count);
            main.Take();
            Assert.Throws<InvalidOperationException>(() => main.Take());
            main.Take();
            Assert.AreEqual(new[] { 1, 3 }, told.ToArray());
            caller.Post(() => told.Add(4));
            main.Take();
            Assert.AreEqual(3, told.Count);
        }

        /// <summary>A main thread whose turns the test gives.</summary>
        private sealed class Turns : SynchronizationContext
        {
            private readonly Queue<Action> waiting = new Queue<Action>();

            public override void Post(SendOrPostCallback callback, object state) =>
                waiting.Enqueue(() => callback(state));

            public void Take() => waiting.Dequeue()();
        }
    }
}
