import faulthandler,hashlib as R,io,lzma,numpy as S,os as s,signal,subprocess,sys as f,time as c,torch as e,torch.distributed as o,torch.nn.functional as d,traceback
from functools import partial as a
from pathlib import Path as n
from sentencepiece import SentencePieceProcessor
from torch import nn as T
from typing import NamedTuple as i
def eu():
 a=s.environ.get;i=int(a('RANK',0));n=int(a('WORLD_SIZE',1));c=int(a('LOCAL_RANK',0))
 if n<1 or 8%n:raise ValueError(f"WORLD_SIZE is {n}, wanted a divisor of 8, the micro-batches of a step")
 return i,n,c
def em():
 global h,iu,t,r;i,n,c=eu();a='gloo';s=e.device('cpu')
 if e.cuda.is_available():a='nccl';s=e.device('cuda',c);e.cuda.set_device(s)
 if n>1:o.init_process_group(a)
 t=i;r=n;iu=c;h=s
def ef():
 if r>1:o.destroy_process_group()
def ep(t):
 if r>1:o.all_reduce(t)
 return t
def b(value):
 w=[value]*r
 if r>1:o.all_gather_object(w,value)
 return w
def v(value):
 if r==1:return value
 i=e.tensor(value,dtype=e.float64,device=h);o.all_reduce(i,o.ReduceOp.MAX);return i.item()
def eg(t):
 if t.grad is None:t.grad=e.zeros_like(t)
 return t.grad
def ew(l):
 i=[eg(t)for t in l]
 if r>1:
  a=e.cat([c.flatten()for c in i]);o.all_reduce(a);n=(a/r).split([c.numel()for c in i])
  for(c,m)in zip(i,n,strict=True):c.copy_(m.view_as(c))
def ey(a,c):
 if r>1:return o.reduce_scatter(a,list(c.chunk(r)),async_op=True)
 a.copy_(c)
def eb(c,a):
 if r>1:return o.all_gather(list(c.chunk(r)),a,async_op=True)
 c.copy_(a)
def ev(t):
 if t is not None:t.wait()
def ek(n,a):
 if not n.r:return a,
 o=range(n.shape[0]//len(n.r));return tuple(i.format(t)for i in n.r for t in o)
def k(s):
 r=[]
 for n in s:
  if n.r:
   o=range(n.shape[0]//len(n.r))
   for(i,h)in zip(n.r,n.init,strict=True):r+=[(i.format(t),h,n)for t in o]
  else:r+=[(a,n.init,n)for a in n.s()]
 return r
def ex(a,i):
 if a.startswith('blocks.')and a.endswith('.weight'):t,e=a[len('blocks.'):-len('.weight')].split('.',1);return e,int(t)
 return i,0
def ej(d,s,t):
 for n in s:
  m=t if n.dtype=='activation'else e.float32
  for a in n.s():
   *c,r=a.split('.');i=d
   for o in c:
    if o not in i._modules:i.add_module(o,T.ModuleList())
    i=i._modules[o]
   i.register_parameter(r,T.Parameter(e.empty(n.shape,dtype=m,device=h)))
def eq(a):o=R.sha256(f"{et}:{a}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(o[:7],'little'))
def ez(s,d):
 i=j(m.state_dict(),s)
 for(a,h,u)in k(s):t=e.empty(i[a].shape);h(t,eq(a),d);i[a].copy_(t)
def j(i,s):
 l=[]
 for n in s:
  for a in n.s():l+=i[a].unbind()if n.r else[i[a]]
 return{a:t for((a,u,u),t)in zip(k(s),l,strict=True)}
def q(tensor,generator,ledger):tensor.zero_()
def z(tensor,generator,ledger):tensor.fill_(1.)
def A(tensor,generator,ledger,value):tensor.fill_(value)
def eA(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eB:
 def __init__(i):i.K=None;i.R=None;f=[(m.get_parameter(a),ek(n,a),n)for n in g for a in n.s()];i.tensors=[t for(t,s,n)in f];i.names=[s for(t,s,n)in f];i.replicated=[t for(t,s,n)in f if n.reduction=='replicated'];i.c=[t for(t,s,n)in f if n.y];i.F=[s for(t,s,n)in f if n.y];o=[t for(t,s,n)in f if n.group=='matrix'];e=[s for(t,s,n)in f if n.group=='matrix'];om(o,e);h=[(c,[t for(t,s,n)in f if n.group==c.name],[s for(t,s,n)in f if n.group==c.name])for c in oN];oo(h)
 @e.no_grad()
 def step(i,scalars,ledger):
  for c in oM:c(i.tensors,i.names,ledger)
  of();ew(i.replicated);oi(scalars,ledger);op(scalars,ledger)
  for t in i.tensors:t.grad=None
def eC(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def eD(a):
 global V
 if V is None:V=eC(oP)
 return V(a.bfloat16(),5)
def eE():return{}
def eF(a,s):a=eD(a).contiguous();return a
def eG(t,a,s,i,h,d):eH(t,a,s,.025*h.a,i,h,d)
def eH(t,a,s,o,i,h,d):
 for c in oK:c(t,a,s,o,h,d)
 t.add_(a,alpha=-o*i)
def eI(c,i,m):i.mul_(m).add_(c);return c.add(i,alpha=m)
def eJ(a):return max(1,a.shape[-2]/a.shape[-1])**.5
def eK():
 a=''
 try:oI()
 except(OSError,ValueError)as n:a=f"{en}: {n}"
 for(i,o)in enumerate(b(a)):
  if o:raise ValueError(f"{o} (on rank {i})"if i else o)
def eL(o):
 if o is not None:w(f"prepared {en}: {o}")
class Param(i):
 name:i;shape:i;group:i;z:i;init:i=None;J:i='';dtype:i='float32';layers:i=0;r:i=();reduction:i='replicated';w:i='';y:i=True;N:i=True;export:i='yes';x:i=0
 def s(i):return[i.name.format(t)for t in range(i.x,i.layers)]or[i.name]
class Group(i):name:i;lr:i;weight_decay:i=.0
class B:
 def __init__(i):i.done={}
 def count(i,plugin,unit,number=1):i.done[plugin,unit]=i.done.get((plugin,unit),0)+number
 def o(i,t,o):i.done[t,'']=o
 def L(i,t):return', '.join(f"{o} {n}".strip()for((a,n),o)in i.done.items()if a==t and o)
def eM(n,o,r):return(n/C(o)).round().clamp(-r,r).to(e.int8)
def C(o):return o[:,None]if o.ndim else o
def eN(h,o,e):return(h.float()*C(o).float()).to(e)
def eO(n,i):o=n.abs();t=max(i,e.finfo(e.float16).tiny);c=[e.quantile(o,h,1)for h in(.999,.9995,.9999,.99999)];return[(a/31).clamp_min(t).half()for a in(*c,o.amax(1))]
def eP(n,h,o):return(n-eN(h,o,e.float32)).square().mean()
def eQ(n):
 if n.ndim==2:a=e.quantile(n.abs(),.9999984,1);o=(a/127).clamp_min(1/127);i=o.half()
 else:a=e.quantile(n.abs().flatten(),.9999984);i=o=a/127 if a>0 else a+1
 a=C(a);return eM(n.clamp(-a,a),o,127),i
def eR(n,e):
 if'kept'in n:return n['kept'].to(e)
 return eN(n['codes'],n['step'],e)
def eS(l):l=l.clone();i=l.diagonal();u=i==0;i[u]=1.;i+=.0201*i.mean();return l,u
class eT:
 def __init__(i):i.n={}
 def __call__(i,e,t,o):o=o.flatten(0,-2).float();a=(o.T@o).double();h=e,t;i.n[h]=i.n[h].add_(a)if h in i.n else a
@e.no_grad()
def eU():
 i=eT();o=0;m.eval()
 for t in oC():eV(t,N(),i);o+=1;l.B(f"calibration: batch {o}")
 m.train()
 if not o:raise ValueError('calibration found no batch of tokens')
 r={}
 for(a,u,n)in k(g):
  h=ex(a,n.w)
  if h in i.n:r[a]={'hessian':i.n[h]/o}
 r=oB(r);return{a:{h:y.float()for(h,y)in f.items()}for(a,f)in r.items()},o
def eV(t,e,i):s={};m(t,t,phases=e,observe=i,fields=s)
def eW():return[a for(a,u,n)in k(g)if n.z in('attn','mlp')and n.export!='drop'and len(n.shape[bool(n.r):])==2 and n.shape[-1]*n.shape[-2]>65536]
@e.no_grad()
def eX():
 i=eT();o={};m.eval();e=tuple(c.name for c in()if c.scoring);eV(M()[0][:1,:64],e,i);m.train();t=eW()
 for(a,u,n)in k(g):
  h=ex(a,n.w)
  if a in t and h not in i.n:raise ValueError(f"{a} needs input statistics, and the forward uses no matrix under its role {h[0]!r}")
  if a in t and h in o:raise ValueError(f"{a} and {o[h]} have the same role {h[0]!r}: wanted one matrix for each")
  o[h]=a
def D(a,i):
 o=s.environ.get(a,i)
 try:return int(o)
 except ValueError:raise ValueError(f"{a} is {o!r}, wanted a whole number like {i!r}")from None
def eY():
 o=s.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(o)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {o!r}, wanted seconds like 600.0")from None
def eZ():global X,Y,p,Z,oT,ee,et,ea,oU,oV;a=s.environ.get;X=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');Y='export'in f.argv;p=D('ITERATIONS',20000);Z=eY();oT=a('RUN_ID',str(c.time_ns()));ee='score'in f.argv;et=D('SEED',1337);ea=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oU=D('TRAIN_LOG_EVERY',200);oV=D('VAL_LOSS_EVERY',1000)
class Score(i):val_loss:i;l:i;M:i;k:i
def te(r):
 if r.numel():raise ValueError(f"target {r[0]} of the validation stream is not scored")
def tt(r):t=y[r].to(h,e.int64);o=t[:,:-1].contiguous();return o,t[:,1:].contiguous(),ta(o)
def ta(t):return{}
def to(a,f,r,d):
 c=r[:,1:];a[c[d]]=f;l.B(f"eval: batch {f}");o,i,s=tt(r)
 with e.set_grad_enabled(False):w=oW(o,i,phases=N(),fields=s,reduction='none',adapter=None)
 t=aY(o,i,c.to(h));u=d.to(h);n=w.detach().double()*u,u,t*u;return w,e.stack([m.sum().double()for m in n])
def ti(a,i):
 if r>1:a=a.to(h);o.all_reduce(a,i)
 return a.cpu()
def tn(a,n,t):
 te(1+(a[1:]==0).nonzero().flatten());e,o,i=ep(n).tolist()
 if o>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/o,e/.6931471805599453/i,int(o),1e3*(c.perf_counter()-t))
def ts(scored_at):
 if t==0:c=f"logs/{oT}.scores.npz";S.savez_compressed(c,scored_at=scored_at.numpy())
class Span(i):start:i;end:i;x:i
def tr(i):return[Span(t,t+2048,0)for t in range(0,(i-1)//2048*2048,2048)]
def th(i):return i[len(i)*t//r:len(i)*(t+1)//r]
def tl(i):
 r=e.zeros(er,2049,dtype=e.int64);d=e.zeros(er,2048,dtype=e.bool)
 for(o,(t,a,s))in enumerate(i):r[o,:a+1-t]=e.arange(t,a+1);d[o,s:a-t]=True
 return r,d
def E(i):
 t=c.perf_counter();m.eval();i=th(i);a=e.zeros(len(y),dtype=e.int32);n=e.zeros(3,dtype=e.float64,device=h)
 for(s,l)in enumerate(range(0,len(i),er),1):r,d=tl(i[l:l+er]);n+=to(a,s,r,d)[1]
 m.train();a=ti(a,o.ReduceOp.MAX);return tn(a,n,t),a
def td():return{a:n.z for(a,u,n)in k(g)if n.export!='drop'}
def tc(i,c,r=0):
 e=td();o={};s=tm(i,e,c)
 for(a,d)in e.items():
  if a in s:n=s[a]
  else:t=i[a];f=c.get(a,{});n=W[d].encode(a,t,f,u)
  o[a]={h:y.cpu()for(h,y)in n.items()}
 return tf(o)
def tu(a,t,f):return t,f
def tm(i,e,c):
 h={}
 for(a,d)in e.items():
  if d in('attn','mlp')and i[a].ndim==2 and i[a].numel()>65536:o,O=i[a].shape;h.setdefault((d,o,O),[]).append(a)
 r={}
 for((d,u,u),s)in h.items():n=[tu(a,i[a],c.get(a,{}))for a in s];l,f=[t for(t,u)in n],[w for(u,w)in n];m=W[d];r|=zip(s,m.G(s,l,f),strict=True)
 return r
def tf(o):return o
def tp(o):return aP(aT(o))
def tg(data,i):
 a=2**20+sum(8*t.numel()+4096 for t in i.values())
 try:return aU(aQ(data,a))
 except Exception as n:raise ValueError(f"the artifact cannot be read: {str(n).partition(chr(10))[0]}")from n
def tw(a,n,d,e):t=W[d].decode(a,n,e);return t
def ty(o,i):
 e=td()
 if o.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,d)in e.items():
  try:t=tb(a,o[a],d,i[a].dtype)
  except Exception as n:raise ValueError(f"the artifact's {a} cannot be decoded: {n!r}")from n
  if t.shape!=i[a].shape:raise ValueError(f"{a}: shape {[*t.shape]}, wanted {[*i[a].shape]}")
  i[a].copy_(t)
def tb(a,n,d,e):return tw(a,n,d,e)
class tv:
 def __init__(i,c):
  i.rank=t;i.u=t==0;n('logs').mkdir(exist_ok=True);i.path=n('logs',c+'.txt')
  if i.u and not Y:i.path.write_text('')
  f.excepthook=a(tk,i.path);faulthandler.register(signal.SIGTERM,i.path.open('a'),chain=True)
 def __call__(i,o):
  if i.u:
   print(o,flush=True)
   with i.path.open('a')as a:print(o,file=a)
 def q(i,o):
  if i.u:i(f"error: {o}")
  elif o not in i.path.read_text():
   with i.path.open('a')as a:print(f"rank {i.rank}: error: {o}",file=a)
def tk(path,kind,n,trace):
 with path.open('a')as a:traceback.print_exception(n,file=a)
 f.__excepthook__(kind,n,trace)
def tx(a):
 o=R.sha256(n(f.argv[0]).read_bytes()).hexdigest();i=f"hardware:{s.uname().machine} CPU, {e.get_num_threads()} threads"
 if h.type=='cuda':i=subprocess.getoutput('nvidia-smi')
 a(f"Running Python {f.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{o}\n{i}")
def F():return len(n(f.argv[0]).read_bytes())
oJ='final_model.pt'
def G():return W['mlp'].name
def tj():return n(f"final_model.{G()}.ptz")
def tq(o):
 i=j(m.state_dict(),g)
 if t==0:n('final_export.pt').unlink(missing_ok=True);H(a(e.save,i),'final_model.pt')
 c=tC(o)
 if t==0:r=c,u.done,ei,es,l.begin_ms;H(a(e.save,r),'final_export.pt')
 tz(i,c)
def tz(i,c):
 n=tV();l.end('diagnostic','val');w(f"diagnostic pre-quantization post-ema val_loss:{n.val_loss:.8f} val_bpb:{n.l:.8f} eval_time:{n.k:.0f}ms")
 if t==0:tE(i,c)
 v(.0);tG()
def H(o,c):
 i=n('final_model.tmp')
 try:
  o(i)
  with i.open('rb')as a:s.fsync(a.fileno())
  i.replace(c)
 finally:i.unlink(missing_ok=True)
def tA():
 global es,ei;i=j(m.state_dict(),g);p=tB('final_model.pt');r=tB('final_export.pt');o=[a for a in i if a not in p or p[a].shape!=i[a].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(a,t)in i.items():t.copy_(p[a])
 c,n,ei,es,l.begin_ms=r;u.done.update(n);l.m(l.begin_ms);tz(i,c)
def tB(c):
 try:return e.load(c,h,weights_only=True)
 except OSError:raise
 except Exception as n:raise ValueError(f"{c} is damaged: {str(n)[:99]!r}")from n
def tC(o):
 global eo;c={};eo=False
 if eo:c,i=tD(o)
 else:c,i=eU()
 l.end('calibration','none'+f" batches:{i}");eo=False;return c
def tD(o):
 i=1e3*Z;P();r=eU();ow();P();a=v(oy(o));l.m(a)
 if 0<i<a:tU(f"calibration from training data ended at {a:.0f}ms, after the {i:.0f}ms of max_wallclock_seconds: build with more time in reserve")
 return r
def tE(i,c):o=tc(i,c,F());l.end('quantize','none');h=tp(o);l.end('compress','none');H(a(n.write_bytes,data=h),tj());t=f"{G()}+lzma";w(f"Serialized model: {n(oJ).stat().st_size} bytes\nCode size: {F()} bytes\nSerialized model {t}: {len(h)} bytes\nTotal submission size {t}: {len(h)+F()} bytes")
def tF():
 i=j(m.state_dict(),g)
 for t in i.values():t.zero_()
 h=tj().read_bytes();o=R.sha256(h).hexdigest()
 if ee:
  a=''.join(c.read_text()for c in n('logs').glob('*.txt'))
  if'artifact_sha256:'in a and o not in a:raise ValueError('the artifact is not that of the logs in logs/')
 w('artifact_sha256:'+o);ty(tg(h,i),i)
def tG():i=G();tF();l.end('decode','none');n,a=E(tr(len(y)));l.end('score','val');tH(f"{i}_lzma_roundtrip",n);n,a=E(oa(len(y)));l.end('score','val');tH(f"{i}_sliding_window",n);ts(a);u.count('sliding_eval','targets',n.M)
def tH(t,n):w(f"final_{t} val_loss:{n.val_loss:.4f} val_bpb:{n.l:.4f} eval_time:{n.k:.0f}ms\nfinal_{t}_exact val_loss:{n.val_loss:.8f} val_bpb:{n.l:.8f}")
def tI():
 i=[];o=False
 for a in oQ:
  n=u.L(a)
  if n and a not in i:w(f"receipt {a}: {n}")
  else:w(f"error: plugin {a} did nothing");o=t==0
 return o
class Progress(i):step:i;H:i;v:i;b:i;P:i;a:i
class Scalars(i):a:i;E:i;momentum:i
def tJ(o,a,t):n=a/t if t>0 else o/max(p,1);return Progress(o,p,a,t,n,1.)
class Context(i):
 ids:i;phases:i;training:i;p:i;memo:i;fields:i;d:i;observe:i;ledger:i
 def t(i,t,n,o=1):
  if i.ledger is not None:i.ledger.count(t,n,o)
def I(o):return d.rms_norm(o,(o.size(-1),),eps=1.1920929e-07)
def tK(o):return d.pad(o[:,:-1],(0,0)*(o.dim()-2)+(1,0))
def tL(a):
 if'starts'in a.fields:return a.fields['starts']
 if'documents'not in a.fields:return
 i=a.fields['documents'];return d.pad(i[:,1:]!=i[:,:-1],(1,0))
def tM(n):return n
def tN(n,o,e,t,h,a):
 n=tM(n)
 if a.observe is not None:a.observe(e,t,o)
 return J(d.linear(o,n.to(o.dtype)),o,e,h,a)
def J(i,o,n,h,a):
 if a.d is not None and n in a.d.sites:i=i+a.d.delta(o,n,h)
 return i
def tO(i,a):
 if'rope'not in a.memo:n=i.size(1);o=i.size(3);s=i.device;h=1e4**(-e.arange(0,o,2,dtype=e.float32,device=s)/o);d=e.outer(e.arange(n,dtype=e.float32,device=s),h);a.memo['rope']=d.cos(),d.sin()
 m,l=(t[None,:,None,:].to(i.dtype)for t in a.memo['rope']);c,r=i.chunk(2,-1);return e.cat((c*m+r*l,r*m-c*l),-1)
class GPT(T.Module):
 def __init__(i,s,t):super().__init__();i.W=None;i.K=None;i.records=s;ej(i,s,t)
 def matrices(i):return j(dict(i.named_parameters()),i.records)
 def matrix(i,role,layer,position,ctx):return tM(ctx.p[f"blocks.{layer}.{role}.weight"])
 def h(i,o,e,t,h,a):return tN(a.p[f"blocks.{t}.{e}.weight"],o,e,t,h,a)
 def stem(i,ids,ctx):o=d.embedding(ids,ctx.p['tok_emb.weight']);o=o+ac(ids,ctx);o=I(o);o=aJ(o,ctx);return o
 def j(i,t,a):o=i.stem(t,a);return I(aI(i,o,o,a))
 def logits(i,x,ctx):
  n=aL(x,ctx)
  for c in oO:n=c(i,n,ctx)
  return n
 def forward(i,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):h=fields or{};r={};fields={**r,**h};a=Context(ids,phases,i.training,i.matrices(),{},fields,adapter,observe,ledger);o=i.j(ids,a);n=i.logits(o,a);m=ak(n,targets,reduction,a);return m
def tP(i):
 i=n(i);a=sorted(c for c in i.parent.glob(i.name)if('_bytes_'in c.name)==('_bytes_'in i.name))
 if not a:raise ValueError(f"{i}: no shard matches, see DATA_PATH")
 return a
def tQ(c):
 i=n(c).stat().st_size;a=S.fromfile(c,'<i4',3).tolist()
 if i<=1024 or a!=[20240520,1,(i-1024)/2]:raise ValueError(f"{c}: {i} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def K(c):
 o=S.memmap(c,'<u2','r',1024,tQ(c))
 if o.max()>=1024:raise ValueError(f"{c}: token {o.argmax()} is {o.max()}, wanted an id below 1024")
 return o
def tR(i):
 o=S.concatenate([K(c)for c in tP(i)])
 if len(o)<=2048:raise ValueError(f"{i}: {len(o)} tokens, wanted at least 2049")
 return e.from_numpy(o[:(len(o)-1)//2048*2048+1])
class tS:
 def __init__(i,a):i.log=a;i.begin_ms=.0;i.D=i.f=c.perf_counter()
 def m(i,a):i.D=c.perf_counter()-a/1e3
 def end(i,name,data):o=1e3*(c.perf_counter()-i.D);i.log(f"stage:{name} begin:{i.begin_ms:.0f}ms end:{o:.0f}ms data:{data}");i.begin_ms=o;i.f=c.perf_counter()
 def B(i,o):
  if c.perf_counter()>i.f+10:i.f=c.perf_counter();i.log(o)
def tT(s,a,d):global es,oW,u,w,m,g,ei,en,im,er,l,y,eo;g=s;w=a;u=d;ei=();en='';l=tS(a);es=False;eo=not(ee or Y);im=0;er=max(32,1);t=e.bfloat16 if h.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;m=GPT(s,t);ez(s,d);oW=eC(m);i=n(X,'fineweb_val_*.bin');y=tR(i);aX(d);o=R.sha256(y.numpy().data).hexdigest();a(f"val_loader:shards pattern={i} tokens:{len(y)-1}\nval_sha256:{o}")
def L(d):i=n(X,'fineweb_train_*.bin');aZ(i,d)
def M():
 if not eo:raise ValueError('training data are closed: training time is over')
 s=ot((786432,2048)[0]//8,(786432,2048)[1]);o,i=(m.to(h,non_blocking=True)for m in s);return o,i,{}
def tU(o):global es;w(f"error: {o}");es=True
def N():return tuple(c.name for c in()if c.scoring and c.name in ei)
def tV():return E(tr(len(y)))[0]
def tW():i=[()];return i
def tX():
 o,i,s=M();o,i=o[:1,:512],i[:1,:512];s={a:y[:1,:512]for(a,y)in s.items()};t=tuple(c.name for c in());m(o,i,phases=t,fields=s,ledger=u).backward()
 for n in g:h=sum(m.get_parameter(a).grad is not None for a in n.s());u.count(n.J,'trained tensors',h)
 m.zero_grad()
def tY():
 i=m.state_dict();n={a:t.clone()for(a,t)in i.items()};c=eB();h=B();L(h)
 for s in tW():
  for o in range(20):ao(c,s,Scalars(1.,1.,.9),h);w(' '.join((f"warmup_step:{o+1}/20",*s)))
 for(a,t)in i.items():t.copy_(n[a])
 e.manual_seed(et);L(u)
def tZ(s):
 try:eZ();em();d=B()
 except ValueError as n:print(f"error: {n}",file=f.stderr);f.exit(2)
 c=b(oT)[0];a=tv(c);e.manual_seed(et);e.backends.cuda.matmul.allow_tf32=True
 if Z==0:at()
 tx(a);a('plugins:'+' '.join(oQ));ae(s,a,d)
 if eo:
  aa();tX();tY();o=ar()
  try:tq(o)
  except(OSError,ValueError)as n:a.q(str(n));f.exit(f"error: rank {t}: {n}")
 i=not ee and(tI()or es);ef()
 if i:f.exit(1)
def ae(s,a,d):
 global ei
 try:
  tT(s,a,d);eK()
  if Y:tA()
  elif ee:ei=tuple(c.name for c in());tG()
  else:L(B());eX()
  return
 except(OSError,ValueError)as n:
  a.q(str(n))
  if not Y:ef()
  f.exit(2)
def at():s.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def aa():w(f"model_params:{sum(t.numel()for t in m.parameters())}\nworld_size:{r} grad_accum_steps:{8//r}\nseed:{et}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{p} warmup_steps:20 max_wallclock_seconds:{Z:.3f}")
def ao(c,e,h,d):
 a=8//r;n=.0
 for u in range(a):o,i,s=M();m=oW(o,i,phases=e,fields=s)/a;n+=m.detach();m.backward()
 c.step(h,d);return n
def ai(o,a,t):
 i=tJ(o,a,t);h=Scalars(1.,1.,.0)
 for n in oR:h=n(i,h,u)
 return h
def an():return 1e3*Z
def ar():
 c=eB();on(c.c,c.F);t=an();o=0;a=.0;P()
 while True:
  d=o==p or 0<t<=a
  if d or oV>0 and o%oV==0:
   ow();n=tV();ah(o,f"val_loss:{n.val_loss:.4f} val_bpb:{n.l:.4f}",a)
   if d:break
   P()
  h=ai(o,a,t);m=ao(c,ei,h,u);o+=1;os(c.c,o,h);a=v(oy(o))
  if oU>0 and(o<=10 or o%oU==0):
   ah(o,f"train_loss:{m:.4f}",a)
   if m!=m:raise ValueError('the training loss is not a number')
 if o<p:w(f"stopping_early: wallclock_cap train_time:{a:.0f}ms step:{o}/{p}")
 i=e.cuda.max_memory_allocated()>>20;s=e.cuda.max_memory_reserved()>>20;w(f"peak memory allocated: {i} MiB reserved: {s} MiB");oh(c.c);l.m(a);l.end('train','train');return o
def ah(o,i,a):w(f"step:{o}/{p} {i} train_time:{a:.0f}ms step_avg:{a/max(o,1):.2f}ms")
def al(o,c,i,a):a.t('additive_skips','skips');return o+a.p['skip_weights'][i].to(o.dtype)*c
def ad(n,a):
 t=e.bitwise_xor(36313*n[:,1:],27191*n[:,0:-1]);i=d.pad(t%3071,(1,0),value=3071);o=tL(a)
 if o is not None:c=o;i=i.masked_fill(c,3071)
 return i
def ac(n,a):a.t('bigram_hash','lookups');t=a.p['bigram.embed.weight'];o=d.embedding(ad(n,a),t);i=d.linear(o,a.p['bigram.proj.weight'].to(o.dtype));return i*a.p['bigram.scale'].to(o.dtype)
def au(o,n,h,a):return av(o,n,h,a)
def am(o,n,t,h,a):c=o.h(n,'attn.c_q',t,h,a);s=o.h(n,'attn.c_k',t,h,a);r=o.h(n,'attn.c_v',t,h,a);r=aN(r,t,a);c=aq(I(e.unflatten(c,2,(8,-1))),a);s=aq(I(e.unflatten(s,2,(4,-1))),a);r=e.unflatten(r,2,(4,-1));c,s=az(c,s,t,a);i=au(c,s,r,a);i=aO(i,r,t,a);i=o.h(i.flatten(2),'attn.proj',t,h,a);return J(i,n,'attn',h,a)
def af(o,n,h):c=o.transpose(1,2);s=n.transpose(1,2);r=h.transpose(1,2);i=c.size(1)!=s.size(1);return d.scaled_dot_product_attention(c,s,r,is_causal=True,enable_gqa=i).transpose(1,2)
def ap():
 if h.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as i;return'flash-attn 3',i
 except ImportError:
  try:from flash_attn import flash_attn_func as i;return'flash-attn 2',i
  except ImportError:return ay(),None
def ag(a,o,n,h):i=a(o,n,h,causal=True,window_size=(-1,0));return i[0]if isinstance(i,tuple)else i
def aw(i,o,n,h):
 if i is not None:return ag(i,o,n,h)
 return af(o,n,h)
def ay():i=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not i);e.backends.cuda.enable_flash_sdp(i);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if i else'cuDNN'
def ab():global oL;a,oL=ap();return a
def av(c,s,r,a):a.t('causal_attention','layers');return aw(oL,c,s,r)
def ak(i,o,reduction,a):a.t('cross_entropy','losses');m=d.cross_entropy(i.flatten(0,1).float(),o.flatten(),reduction=reduction);return m.view_as(o)if reduction=='none'else m
def ax(o,n,t,h,a):a.t('leaky_relu2','layers');i=d.leaky_relu(o.h(n,'mlp.fc',t,h,a),.5).square();return o.h(i,'mlp.proj',t,h,a)
def aj(n,t,a):a.t('ln_scale','branches');i=(t+1)**-.5;return n*i
def O(tensor,generator,ledger):
 if min(tensor.shape)>=64:T.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:i=tensor.shape[-1]**-.5;tensor.uniform_(-i,i,generator=generator)
def aq(i,a):a.t('partial_rope','rotations');o=tO(i[...,:16],a);return e.cat((o,i[...,16:]),-1)
def az(o,n,t,a):a.t('qk_gain','layers');i=a.p[f"blocks.{t}.attn.q_gain"].to(o.dtype);return o*i[:,None],n
def aA(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def aB(o,e,t,a):i=a.p[f"blocks.{t}.resid_mix"].to(o.dtype);return i[0]*o+i[1]*e
def aC(o,t,a):i=I(o);i=aj(i,t,a);return i
def aD(o,n,t,h,a):i=am(o,n,t,h,a);return a.p[f"blocks.{t}.attn_scale"].to(n.dtype)*i
def aE(o,n,t,h,a):i=ax(o,n,t,h,a);i=J(i,n,'mlp',h,a);return a.p[f"blocks.{t}.mlp_scale"].to(n.dtype)*i
def aF(o,n,e,t,h,a):c=aB(n[0],e,t,a);c=c+aD(o,aC(c,t,a),t,h,a);return c+aE(o,aC(c,t,a),t,h,a),
def aG(n,c,i,t,a):
 if c is None:return n
 return al(n[0],c,i,a),*n[1:]
def aH(o,n,e,a):
 d,s=aM(a.phases);a.t('unet_plan','steps over 11 layers',len(d)+len(s));c=[]
 for(h,t)in enumerate(d):n=aF(o,n,e,t,h,a);c.append(n[0])
 for(i,t)in enumerate(s):n=aG(n,c.pop()if c else None,i,t,a);n=aF(o,n,e,t,len(d)+i,a)
 return n
def aI(o,i,n,a):a.t('sequential_wiring','walks');return aH(o,(i,),n,a)[0]
def aJ(i,a):
 a.t('smear_gate','blends');n=tK(i);o=tL(a)
 if o is not None:n=n.masked_fill(o[...,None],0)
 t=e.sigmoid(a.p['smear.gate']).to(i.dtype);return(1-t)*i+t*n
def aK(model,i,ctx,cap):ctx.t('tanh_softcap','caps');return cap*e.tanh(i/cap)
def aL(i,a):a.t('tied_head','heads');return tN(a.p['tok_emb.weight'],i,'head',0,0,a)
def aM(e):o=tuple(range(11));return o[:len(o)//2],o[len(o)//2:]
def aN(n,t,a):
 if t not in(9,10):return n
 a.t('value_embedding','layers')
 if've'not in a.memo:o=d.embedding(a.ids,a.p['ve_shared.embed.weight']);o=d.linear(o,a.p['ve_shared.proj.weight'].to(o.dtype));a.memo['ve']=o*a.p['ve_shared.scale'].to(o.dtype)
 i=a.p[f"ve_layer_scales.{oS.index(t)}"];c=a.memo['ve'];return n+i.to(n.dtype)*c
def aO(o,h,t,a):
 if t<0:return o
 a.t('xsa','layers');i=e.unflatten(o,2,(h.size(2),-1));n=d.normalize(h,dim=-1)[:,:,:,None,:];return(i-(i*n).sum(-1,keepdim=True)*n).flatten(2,3)
def aP(data):a=lzma.compress(data,preset=9);u.o('lzma',f"{len(data)} -> {len(a)} bytes");return a
def aQ(data,a):
 s=lzma.LZMADecompressor(memlimit=2**27);i=s.decompress(data,a)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return i
def aR(o):i=io.BytesIO();t={f.intern(a):{f.intern(h):m for(h,m)in n.items()}for(a,n)in o.items()};e.save(t,i);return i.getvalue()
def aS(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aT(o):h=aR(o);u.o('torch_save',f"{len(o)} tensors in {len(h)} bytes");return h
def aU(data):return aS(data)
def aV():
 try:i=SentencePieceProcessor(ea)
 except(OSError,RuntimeError)as n:raise OSError(f"{ea}: not a SentencePiece model")from n
 if len(i)>1024:raise ValueError(f"{ea} has {len(i)} pieces, wanted at most vocab_size=1024")
 if i.piece_to_id('\u2581')==i.unk_id():raise ValueError(f"{ea}: U+2581 is not a piece of its own")
 return i
def aW(i):
 o=[(0,0,1)]*1024
 for a in range(len(i)):
  if not(i.is_control(a)or i.is_unknown(a)or i.is_unused(a)):n=i.id_to_piece(a);t=n.startswith('\u2581');o[a]=1 if i.is_byte(a)else len(n.encode())-3*t,t,0
 return e.tensor(o).T
def aX(d):
 global ic,il,oX,ih
 if any(n(X).glob('*_bytes_*')):raise ValueError(f"{X}: it has byte side files, build with the plugin that reads them")
 i=aW(aV());ih,il,ic=i.to(h);oX=d
def aY(a,i,o):oX.count('sentencepiece_bytes','targets',i.numel());t=ih[i]+(il[i]&~ic[a]);return t
def aZ(i,d):
 global eh,ie,oY,el,oZ;eh=tP(i)
 for c in eh:tQ(c)
 oY=t;oZ=r;ie=d;el=K(eh[0])
def oe(o):
 global el;n=[]
 while o>0:
  if not len(el):eh.append(eh.pop(0));el=K(eh[0])
  n.append(el[:o]);el=el[o:];o-=len(n[-1])
 return S.concatenate(n)
def ot(o,i):a=oe(oZ*(o+1)).reshape(oZ,-1)[oY];a=e.from_numpy(a.astype(int));ie.count('sequential_loader','batches');return a[:-1].reshape(-1,i),a[1:].reshape(-1,i)
def oa(i):a=min(64,2048);c=i-1;o=range(0,max(c-(2048-a),1),a);return[Span(l,min(l+2048,c),0 if l==0 else 2048-a)for l in o]
def oo(h):global it;r=[{'params':l,'spec':c}for(c,l,s)in h];it=e.optim.AdamW(r,betas=(.9,.95),eps=1e-08,fused=True)
def oi(h,d):
 for n in it.param_groups:n['lr']=n['spec'].lr*h.a;n['weight_decay']=n['spec'].weight_decay*h.E
 it.step();d.count('adam','steps')
@e.no_grad()
def on(l,s):global ed,ia;ia=0;ed=[t.detach().float().clone()for t in l]
@e.no_grad()
def os(l,g,h):global ia;ia+=1;e._foreach_mul_(ed,.997);e._foreach_add_(ed,[t.detach().float()for t in l],alpha=1-.997)
@e.no_grad()
def oh(l):
 for(t,i)in zip(l,ed,strict=True):t.copy_(i)
 u.count('ema','updates',ia)
def ol(l,names,ledger,max_norm):T.utils.clip_grad_norm_(l,max_norm);ledger.count('grad_clip','steps')
def od(i,h,ledger,start,final,steps):a=min(i.step/steps,1.)if steps>0 else 1.;m=(1-a)*start+a*final;ledger.o('momentum_warmup',f"momentum {m:.4f} at step {i.step}");return h._replace(momentum=m)
def oc(tensor,a,names,lr,h,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*h.E);ledger.count('muon_weight_decay','tensors decayed')
def ou(o,steps,scale_first):
 a=o.shape[-2]>o.shape[-1]
 if a:o=o.mT
 o=o/(o.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for u in range(steps):i=o@o.mT;n=2.0315*i@i if scale_first else 2.0315*(i@i);o=3.4445*o+(-4.775*i+n)@o
 return o.mT if a else o
class MuonBank(i):weight:i;names:i;I:i;full:i;C:i;momentum:i;g:i
def om(l,s):
 global ec,ip;ip=eE();ec=[];k=e.bfloat16 if h.type=='cuda'else e.float32
 for(n,w)in sorted(zip(l,s,strict=True),key=lambda j:-j[0].numel()):*u,o,O=n.shape;d=-(-len(w)//r);f=(*w,*['']*d*r)[d*t:][:d];p=[(i,o,O)for i in(d*r,d)];c,a=[e.zeros(y,dtype=k,device=h)for y in p];g,m=[e.zeros(y,dtype=e.bfloat16,device=h)for y in p];ec.append(MuonBank(n,w,f,c,a,m,g))
def of():
 global ii;ii=[]
 for i in ec:c=eg(i.weight).bfloat16();i.full.flatten()[:c.numel()].copy_(c.flatten());ii.append(ey(i.C,i.full))
def op(h,d):
 o=[]
 for(i,t)in zip(ec,ii,strict=True):
  ev(t);e=r;c=(i.C/e).bfloat16();a=eI(c,i.momentum,h.momentum);a=eF(a,i.I);o.append((i,eb(i.g,a),a))
  if len(o)>1:og(*o.pop(0),h,d)
 for n in o:og(*n,h,d)
def og(i,t,a,h,d):ev(t);n=i.weight;o=i.g.flatten()[:n.numel()].view_as(n);eG(n,o,i.names,eJ(n),h,d);d.count('parallel_muon','bank updates');d.count('newton_schulz','matrices',i.g.size(0))
def P():global ir;ir=c.perf_counter()-U
def ow():
 global U
 if e.cuda.is_available():e.cuda.synchronize()
 U=c.perf_counter()-ir;u.o('wall_clock',f"{U:.3f} seconds")
def oy(o):return 1e3*(c.perf_counter()-ir)
def ob(i,length):
 if length<=0:return 1.
 if i.b>0:a=length*(i.v/max(i.step,1));return min(max(i.b-i.v,.0)/max(a,1e-09),1.)
 o=i.H-i.step;return o/length if 0<o<=length else 1.
def ov(i,h,ledger,length):a=ob(i,length);ledger.o('warmdown_iters',f"multiplier {a:.4f} at step {i.step}");return h._replace(a=h.a*a)
class Trial(i):codes:i;step:i;error:i
class ok:
 name='int6'
 def __init__(i,a):i.floor=.03225806451612903;i.A=a
 def encode(i,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');n,e=tensor.float(),None
  for o in eO(n,i.floor):s=B()if e else ledger;h=i.A(name,n,o,31,statistics,s);e=oj(e,ox(n,h,o,statistics))
  return{'codes':e.codes,'step':e.step}
 def G(i,s,l,c):
  u.count('clip_search','tensors quantized',len(s));p=[t.float()for t in l];g=[eO(n,i.floor)for n in p];e=[None]*len(s);j=i.A
  for a in range(len(g[0])):
   d=[m for(m,O)in enumerate(g)if not any(O[a].equal(y)for y in O[:a])];I=[[w[m]for m in d]for w in(s,p)];f=[c[m]for m in d];O=[g[m][a]for m in d];r=j.solve(*I,O,31,f,B()if a else u)if d else[]
   for(m,h,o)in zip(d,r,O,strict=True):e[m]=oj(e[m],ox(p[m],h,o,c[m]))
  return[{'codes':k.codes,'step':k.step}for k in e if k]
 def decode(i,name,parts,kind):return eR(parts,kind)
def ox(n,h,o,c):
 if'hessian'in c:u=c['hessian'].diagonal()==0;return Trial(h,o,eP(n.masked_fill(u,.0),h.masked_fill(u,0),o))
 return Trial(h,o,eP(n,h,o))
def oj(y,d):
 if y is None:return d
 i=d.error<y.error;return Trial(*(e.where(i,a,n)for(n,a)in zip(y,d,strict=True)))
class oq:
 Q='hessian',
 def __init__(i):i.block=128;i.O=.0201
 def __call__(i,name,weight,step,r,c,ledger):return i.solve([name],[weight],[step],r,[c],ledger)[0]
 def solve(i,names,weights,steps,top,statistics,ledger):
  for(a,f)in zip(names,statistics,strict=True):
   if'hessian'not in f:raise ValueError(f"{a} has no input statistics, which gptq needs")
  I,B,O=[],[],[]
  for(n,f)in zip(weights,statistics,strict=True):l,u=eS(f['hessian']);j=l.diagonal().argsort(descending=True,stable=True);I.append(j);B.append(l[j][:,j]);O.append(n.masked_fill(u,.0).T[j])
  y,w=oz(e.stack(B)),e.stack(O);h,o=e.empty_like(w),e.stack(steps).float()
  for t in range(0,w.shape[1],i.block):oA(w,h,y,o,top,t,min(t+i.block,w.shape[1]))
  k=(~y.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(k));ledger.count('gptq','matrices',len(names)-sum(k));return[eM(weights[m],o[m],top)if k[m]else h[m,j.argsort()].T.contiguous().to(e.int8)for(m,j)in enumerate(I)]
def oz(l):i,k=e.linalg.cholesky_ex(l);a,o=e.linalg.cholesky_ex(e.cholesky_inverse(i),upper=True);return e.where((k+o>0)[...,None,None],e.nan,a)
def oA(w,h,y,o,r,t,a):
 c=e.empty_like(w[:,t:a])
 for i in range(t,a):h[:,i]=(w[:,i]/o).round().clamp(-r,r);n=(w[:,i]-h[:,i]*o)/y[:,i,i,None];w[:,i:a]-=y[:,i,i:a,None]*n[:,None];c[:,i-t]=n
 w[:,a:]-=y[:,t:a,a:].mT@c
def oB(c):
 s=[(a,h)for a in sorted(c)for h in sorted(c[a])]
 for(i,o)in enumerate(b(s)):
  if o!=s:n=sorted({*s}^{*o})[0][0];raise ValueError(f"ranks {t} and {i} have statistics of different matrices, such as {n}")
 for(a,h)in s:ep(c[a][h]).div_(r);u.count('hessian_all_reduce',f"statistics over {r} ranks")
 return c
class Q:
 name='int8'
 def __init__(i,a):i.half=a
 def encode(i,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if i.half else tensor.float()}
  ledger.count('int8','tensors quantized');h,o=eQ(tensor.float());return{'codes':h,'step':o}
 def decode(i,name,parts,kind):return eR(parts,kind)
def oC():
 d=64//r
 for s in range(t*d,(t+1)*d,8):a=range(s,min(s+8,(t+1)*d));i=e.stack([oE(o)for o in a]);u.count('self_calibration','sequences',len(i));yield oD(i.to(h))[:,:-1]
def oD(i):
 t=(i[:,:1]*1024).long()
 for m in range(1,i.shape[1]):a=oG(oF(t)/.8,i[:,m:m+1]);t=e.cat((t,a),1)
 return t
def oE(o):return e.rand(2048,generator=eq(f"self_calibration {o}"))
def oF(t):s={};a=Context(t,N(),False,m.matrices(),{},s,None,None,None);return m.logits(m.j(t,a)[:,-1:],a)[:,0].float()
def oG(n,i):a=n.softmax(1).cumsum(1)<=i;return a.sum(1,keepdim=True).clamp_max(n.shape[1]-1)
def oH():return Param('qo_bank',(22,512,512),'matrix','attn',(O,q),'banks',r=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(O,O),'banks',r=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(O,),'banks',r=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(q,),'banks',r=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',z,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',q,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',O,'bigram_hash'),Param('bigram.scale',(),'scalar','control',a(A,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',a(A,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',z,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',z,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',aA,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',q,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',a(eA,std=.005),'tied_head','activation',w='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',a(eA,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',a(A,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',z,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',O,'value_embedding')
def oI():global en;en='causal_attention';eL(ab())
oK=a(oc,weight_decay=.04),
oL=None
U=.0
oM=a(ol,max_norm=.3),
oN=Group('embed',.035,.04),Group('scalar',.025,.04)
oO=a(aK,cap=3e1),
oP=a(ou,scale_first=False)
V=None
oQ='adam','additive_skips','banks','bigram_hash','causal_attention','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oR=a(od,final=.99,start=.92,steps=1500),a(ov,length=4000)
W={'attn':ok(oq()),'aux':Q(True),'control':Q(False),'embed':Q(True),'mlp':ok(oq())}
oS=9,10
if __name__=='__main__':tZ(oH())