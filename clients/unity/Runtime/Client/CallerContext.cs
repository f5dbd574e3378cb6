using System;
using System.Collections.Generic;
using System.Threading;

namespace Mfn
{
    /// <summary>Runs callbacks one after another on the context of its maker, as Unity's main thread; on the thread
    /// pool where the maker has none.</summary>
    internal sealed class CallerContext
    {
        private readonly SynchronizationContext _context =
            SynchronizationContext.Current ?? new SynchronizationContext();

        private readonly Queue<Action> _waiting = new Queue<Action>();
        private bool _running;

        public void Post(Action callback)
        {
            lock (_waiting)
            {
                _waiting.Enqueue(callback);
                if (_running) return;
                _running = true;
            }
            _context.Post(Run, null);
        }

        /// <summary>Runs one, and asks for the next turn where more wait: one that throws does not stop them.</summary>
        private void Run(object state)
        {
            Action callback;
            lock (_waiting) callback = _waiting.Dequeue();
            try
            {
                callback();
            }
            finally
            {
                bool more;
                lock (_waiting) more = _running = _waiting.Count > 0;
                if (more) _context.Post(Run, null);
            }
        }
    }
}
