using System;

namespace Mfn
{
    /// <summary>What a stream or a frame fails with. Its message is a sentence for the reader.</summary>
    public abstract class MfnException : Exception
    {
        protected MfnException(string message, Exception cause = null) : base(message, cause) { }
    }

    /// <summary>The service says why a frame or a stream cannot be served; its message is the service's own.</summary>
    public sealed class ProblemException : MfnException
    {
        private const string Prefix = "urn:problem-type:mfn:";

        public ProblemException(Problem problem) : base(problem.Detail)
        {
            Problem = problem;
        }

        /// <summary>The problem document, RFC 9457.</summary>
        public Problem Problem { get; }

        /// <summary>The end of the problem's type, as "bad-picture": a name in the service's table of
        /// problems.</summary>
        public string Kind =>
            Problem.Type.StartsWith(Prefix, StringComparison.Ordinal)
                ? Problem.Type.Substring(Prefix.Length)
                : Problem.Type;
    }

    /// <summary>There is no connection, it was lost, or what answers is not this service.</summary>
    public sealed class ConnectionException : MfnException
    {
        public ConnectionException(string message, Exception cause = null) : base(message, cause) { }
    }
}
